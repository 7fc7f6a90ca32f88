-- position: journal entry and row in it; with time it names a row, for paging.
-- The token filter costs a byte a row, and finds an id among millions of lines in milliseconds.
CREATE TABLE IF NOT EXISTS logs
(
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    position UInt64 CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    severity UInt8,
    host LowCardinality(String),
    service LowCardinality(String),
    source LowCardinality(String),
    template_id UInt64 CODEC(ZSTD(1)),
    body String CODEC(ZSTD(1)),
    labels_json String EPHEMERAL,
    labels Map(LowCardinality(String), String)
        DEFAULT JSONExtract(labels_json, 'Map(LowCardinality(String), String)') CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    door LowCardinality(String),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX words lower(body) TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1,
    INDEX template_id template_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX batch batch TYPE minmax GRANULARITY 64
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (time, position)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;

-- What log lines of one shape have in common, with a mark where they differ; the newest text of an id counts.
CREATE TABLE IF NOT EXISTS templates
(
    id UInt64,
    text String,
    updated DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY id;
