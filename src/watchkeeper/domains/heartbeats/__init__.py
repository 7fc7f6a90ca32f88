"""Heartbeats outwards: requests to a service elsewhere while all of Watchkeeper works, so that its silence is noticed.

`rules.Vitals` is what the platform knows of itself, `progress` how far readers of the journal are behind in seconds,
`sending.Beats` sends.
"""
