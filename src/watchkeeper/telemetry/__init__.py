"""Telemetry: metrics, logs, spans and events in ClickHouse, our own chDB behind HTTP or a cluster.

endpoint.py serves, store.py asks, consumer.py carries the journal in, queries/ holds the questions, and
docs/explanation/telemetry.md says why it is so.
"""
