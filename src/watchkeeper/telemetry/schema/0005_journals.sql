-- Every journal whose entries were stored here. Offsets begin anew with a new journal; its number keeps them apart.
CREATE TABLE IF NOT EXISTS journals
(
    number UInt8,
    started DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number;
