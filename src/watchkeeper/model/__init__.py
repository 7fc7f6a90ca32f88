"""The nouns: frozen, typed, without I/O, framework or clock. Everything else speaks in these."""
