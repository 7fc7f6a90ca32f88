"""Prometheus' rule files: reading.py takes the text apart and refuses what cannot be evaluated, alerts.py and groups.py are
rules over time, templates/ their texts, testing.py runs the files that `promtool test rules` runs. They are passed time,
and what to ask; who keeps the clock is domains/alerting."""

from watchkeeper.telemetry.rulefiles.alerts import ALERTS, FOR_STATE, STATE, Active, State
from watchkeeper.telemetry.rulefiles.groups import Running, Standing
from watchkeeper.telemetry.rulefiles.reading import (
    Alerting,
    Group,
    Recording,
    Rule,
    doubles,
    length,
    read_file,
    read_rules,
)
from watchkeeper.telemetry.rulefiles.test_files import read_tests
from watchkeeper.telemetry.rulefiles.testing import run
from watchkeeper.telemetry.rulefiles.yaml_nodes import BadRules

__all__ = [
    "ALERTS", "FOR_STATE", "STATE", "Active", "Alerting", "BadRules", "Group", "Recording", "Rule", "Running",
    "Standing", "State", "doubles", "length", "read_file", "read_rules", "read_tests", "run",
]  # fmt: skip
