"""Calendars of other programs (iCalendar, RFC 5545): shifts go out to whoever subscribes to them, and absences, overrides
and holidays come in, from a file or an address.

`writing.py` and `reading.py` are the format, pure; `feeds.py` and `bringing.py` are what is done with it.
"""
