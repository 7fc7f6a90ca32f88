"""Who else has a ticket open: so that two do not answer it at once."""
