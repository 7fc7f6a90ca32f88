"""Configuration as code: records declared in YAML documents are made, changed and removed so that they are as declared.

For console, API and command line: `applying.apply` does it or says what it would do, `exporting.documents` writes what is
there as documents, `managing.of` says which set manages a record.
"""
