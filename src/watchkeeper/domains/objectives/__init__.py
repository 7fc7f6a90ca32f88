"""Service level objectives: what share of events or of time is to be good, and how much of the error budget is left.

`putting` says how they are put, `rules` has the arithmetic and `periods` the windows, all pure; `measuring` asks
telemetry, `evaluating` keeps what came out, `raising` tells of budgets that burn; `openslo` reads and writes OpenSLO
documents.
"""

#: the door of the alerts
DOOR = "objectives"

#: the names of the series that tell what is left of a budget and what was attained, 0 to 1
SERIES = ("objective_budget_left_ratio", "objective_attained_ratio")
