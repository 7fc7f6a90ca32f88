"""From signals to explained situations: pure numpy and Python, usable as a library, no database and no clock."""
