"""Cause finders: which configuration item, or which change to one, is behind a situation. One idea a file;
`ranking` weighs alerts against the graph and history, `onset` and `metrics` rank from series alone."""
