CREATE TABLE IF NOT EXISTS events
(
    id String,
    kind LowCardinality(String),
    status LowCardinality(String),
    name String,
    severity LowCardinality(String),
    summary String CODEC(ZSTD(1)),
    starts DateTime64(3, 'UTC'),
    ends DateTime64(3, 'UTC'),
    received DateTime64(3, 'UTC'),
    labels_json String EPHEMERAL,
    labels Map(LowCardinality(String), String)
        DEFAULT JSONExtract(labels_json, 'Map(LowCardinality(String), String)') CODEC(ZSTD(1)),
    annotations_json String EPHEMERAL,
    annotations Map(LowCardinality(String), String)
        DEFAULT JSONExtract(annotations_json, 'Map(LowCardinality(String), String)') CODEC(ZSTD(1)),
    url String CODEC(ZSTD(1)),
    door LowCardinality(String),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (received, id)
TTL toDateTime(received) + INTERVAL 365 DAY
SETTINGS ttl_only_drop_parts = 1;

-- What could not be taken: as much of it as is kept, from whom, and why.
CREATE TABLE IF NOT EXISTS dead_letters
(
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    position UInt64 CODEC(Delta, ZSTD(1)),
    door LowCardinality(String),
    sender String,
    reason LowCardinality(String),
    detail String CODEC(ZSTD(1)),
    payload String CODEC(ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX position position TYPE minmax GRANULARITY 1,
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (time, position)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;

-- What analysis concluded, when, and why: the history behind alerts and situations.
CREATE TABLE IF NOT EXISTS findings
(
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    stage LowCardinality(String),
    key String,
    kind LowCardinality(String),
    item String,
    name String,
    severity LowCardinality(String),
    score Float64,
    active Bool,
    summary String CODEC(ZSTD(1)),
    labels_json String EPHEMERAL,
    labels Map(LowCardinality(String), String)
        DEFAULT JSONExtract(labels_json, 'Map(LowCardinality(String), String)') CODEC(ZSTD(1)),
    because String CODEC(ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX item item TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX key key TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (time, key)
TTL toDateTime(time) + INTERVAL 365 DAY
SETTINGS ttl_only_drop_parts = 1;
