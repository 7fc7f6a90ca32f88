"""REST under /api/ for every declared kind of record, its OpenAPI description, and the doors that read records:
Alertmanager's API, dead letters, /metrics."""
