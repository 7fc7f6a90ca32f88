CREATE TABLE IF NOT EXISTS spans
(
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    name LowCardinality(String),
    kind LowCardinality(String),
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    duration_ns Int64 CODEC(ZSTD(1)),
    status LowCardinality(String),
    host LowCardinality(String),
    peer LowCardinality(String),
    labels_json String EPHEMERAL,
    labels Map(LowCardinality(String), String)
        DEFAULT JSONExtract(labels_json, 'Map(LowCardinality(String), String)') CODEC(ZSTD(1)),
    door LowCardinality(String),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX span_id span_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toDate(start)
ORDER BY (service, name, start)
TTL toDateTime(start) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;
