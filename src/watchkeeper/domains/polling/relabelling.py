"""Rules of relabelling as people write them: the YAML of Prometheus' relabel_configs. Pure."""

from __future__ import annotations

from functools import lru_cache

from watchkeeper.model.errors import Malformed
from watchkeeper.model.relabelling import Rule, read_rules
from watchkeeper.model.yaml_text import load_yaml

MOST = 50_000  # characters


@lru_cache(500)
def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of a text, none of an empty one. Raises Malformed.

    >>> rules_of("- {source_labels: [room], regex: '2', action: keep}")[0].action
    'keep'
    """
    data = load_yaml(text)
    return read_rules(data) if data is not None else ()


def wrong_rules(text: str) -> str:
    """What is wrong with rules, "" for nothing."""
    try:
        rules_of(text)
    except Malformed as error:
        return error.detail
    return ""
