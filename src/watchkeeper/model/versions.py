"""Which versions of analysis's methods there are to choose from, by the part of the pipeline that they belong to. What they
do is in `analysis`; records name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """A part of the pipeline: what people call it, and its versions with what they do; the first decides by default."""

    words: str
    versions: Mapping[str, str]


CAUSE, LEVELS, CORRELATION = "cause", "levels", "correlation"
FORGETFUL = "forgetful"
PARTS: Mapping[str, Part] = {
    CAUSE: Part("probable cause", {
        "half": "alerts and metrics have half of the word each",
        "alerts": "alerts and changes alone",
        "metrics": "metrics have three quarters of the word",
    }),
    LEVELS: Part("unusual values", {
        "standard": "three times what is usually the furthest, for five minutes",
        "cautious": "four times what is usually the furthest, for ten minutes: tells less, and later",
        "eager": "two and a half times what is usually the furthest, for three minutes: tells more, and sooner",
    }),
    CORRELATION: Part("which alerts belong together", {
        "remembering": "what came together before counts as well",
        FORGETFUL: "graph, time and labels alone",
    }),
}  # fmt: skip


def default(part: str) -> str:
    """The version that decides while nothing else was said."""
    return next(iter(PARTS[part].versions))
