-- Series, one row an id: re-announcements merge, first_seen keeps the least and last_seen the greatest.
-- last_seen is refreshed from samples a few times a day, so that a series goes when its last sample has gone.
CREATE TABLE IF NOT EXISTS series
(
    id UInt64,
    name String,
    labels_json String EPHEMERAL,
    labels SimpleAggregateFunction(anyLast, Map(String, String))
        DEFAULT JSONExtract(labels_json, 'Map(String, String)') CODEC(ZSTD(1)),
    kind SimpleAggregateFunction(anyLast, LowCardinality(String)),
    unit SimpleAggregateFunction(anyLast, LowCardinality(String)),
    door SimpleAggregateFunction(anyLast, LowCardinality(String)),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (name, id)
TTL toDateTime(last_seen) + INTERVAL 30 DAY;

-- batch: which group of journal entries a row came with. It makes inserts idempotent for 0.02 bytes a row.
-- Delta and ZSTD measured best for values too: 3.1 bytes against 4.1 with Gorilla, and faster.
CREATE TABLE IF NOT EXISTS samples
(
    series UInt64 CODEC(ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    value Float64 CODEC(Delta, ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (series, time)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;
