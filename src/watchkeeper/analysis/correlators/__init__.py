"""Correlators: which alerts belong together. One idea a file; `graph_time` joins them and decides."""
