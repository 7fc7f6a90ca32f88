"""Time that people spend on tickets: typed in, or by a timer, and what it comes to."""
