"""Capacity: when what has a limit will reach it. Capacity rules say what is looked at: disks, pools, licences, budgets,
certificates; forecasts are what is foreseen of each; one that comes near enough is an alert.

`rules` has the words and when an alert begins and ends, `measuring` what was measured, `looking` the hourly round. The
arithmetic is `analysis.forecasts.outlook`, which app hands in.
"""

#: the door of the alerts
DOOR = "capacity"
