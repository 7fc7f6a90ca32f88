"""Who gets a ticket: by hand, or by the one rule of `rules.choose`, which says why."""
