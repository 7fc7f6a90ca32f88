"""The kinds of record, one folder a domain: models, resources (declared), rules (pure), and what others may call.

A domain meets another through its `__init__` only.
"""
