"""The console in a real browser, on one running platform that a small shop sends its signals to."""
