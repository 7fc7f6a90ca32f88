"""The stages of the pipeline, one a file: normalise, detect, deduplicate, correlate, determine_cause. Their order is in
analysis/pipeline.py; each fills its part of a Work and does no I/O."""
