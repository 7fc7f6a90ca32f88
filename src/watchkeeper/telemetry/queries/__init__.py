"""Questions to the store that more than one screen asks: each takes a Store, binds its parameters at the
server, has a time limit, and gives typed rows. Times are Unix milliseconds. No question writes."""
