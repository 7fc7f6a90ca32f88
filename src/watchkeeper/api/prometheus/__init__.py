"""Prometheus' HTTP API for its readers (Grafana, promtool, scripts): queries in PromQL, series and labels. Writing is the
receive process's. Answers and errors have Prometheus' shape."""
