"""Adding a host: the ways in which a machine can send, where it reaches us, the files for it, and what has come."""
