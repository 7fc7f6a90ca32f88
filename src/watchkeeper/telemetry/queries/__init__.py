"""Questions to telemetry, one subject a file: typed rows out, every value bound by the server, every query bounded
in time."""
