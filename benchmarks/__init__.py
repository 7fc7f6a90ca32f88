"""One program a claim, each with its peer in the same run. `python -m benchmarks` runs them all."""
