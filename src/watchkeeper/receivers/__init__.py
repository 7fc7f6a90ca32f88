"""Receivers: bytes from the network become signals of the model, one protocol a file.

The HTTP doors share one front (authentication, limits, acknowledgement after the journal's sync); what is not
for a door goes through it to the web process.
"""
