"""Maintenance plans and work orders: what is looked after before it fails, by calendar, meter or condition; and how often
things fail, and how long that takes to mend."""
