-- What samples come to in five minutes and in an hour, kept when the samples themselves have gone. Of two rows of one
-- series and time the one with more samples counts: made again it is the same row, and made of what is left of the
-- samples, it is none. first_ms and last_ms: of the first and last sample, after `time`. increase: of a counter, from
-- the first sample to the last, restarts seen through.
CREATE TABLE IF NOT EXISTS samples_5m
(
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    low Float64 CODEC(Delta, ZSTD(1)),
    high Float64 CODEC(Delta, ZSTD(1)),
    sum Float64 CODEC(Delta, ZSTD(1)),
    count UInt32 CODEC(ZSTD(1)),
    first Float64 CODEC(Delta, ZSTD(1)),
    first_ms UInt32 CODEC(ZSTD(1)),
    last Float64 CODEC(Delta, ZSTD(1)),
    last_ms UInt32 CODEC(ZSTD(1)),
    increase Float64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(count)
PARTITION BY toYYYYMM(time)
ORDER BY (series, time)
TTL toDateTime(time) + INTERVAL 180 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS samples_1h AS samples_5m
ENGINE = ReplacingMergeTree(count)
PARTITION BY toYYYYMM(time)
ORDER BY (series, time)
TTL toDateTime(time) + INTERVAL 730 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Up to which mark of `batch` samples have been rolled up.
CREATE TABLE IF NOT EXISTS rolled
(
    one UInt8 DEFAULT 1,
    covered SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY one;

-- A series is known as long as something is kept of its samples.
ALTER TABLE series MODIFY TTL toDateTime(last_seen) + INTERVAL 730 DAY;
