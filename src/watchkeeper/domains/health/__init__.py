"""The health of services: a score from 0 to 100 for each, made of weighted indicators, with its reasons.

`rules` has the arithmetic, `evaluating` asks the indicators once a minute and keeps what came out.
"""

#: the name of the series that tells the scores
SERIES = "service_health_score"
