"""Records of any declared kind as files: tables (CSV, JSON, YAML), planning (what an import would do), applying
(all of it or nothing). Above the kernel, below whoever shows it; it knows no kind of record.
"""
