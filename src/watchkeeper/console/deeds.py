"""Acts of the audit trail as people say them."""

from __future__ import annotations

VERBS = {"create": "made", "new": "made", "split": "split", "undo": "took back a change of", "note": "noted on",
         "cancel": "cancelled", "retry": "tried again",
         "unacknowledge": "took back the acknowledgement of"}  # fmt: skip
ACTS = {"sign-in": "signed in", "sign-out": "signed out", "first-sign-in": "signed in for the first time",
        "sign-in-failed": "failed to sign in"}  # fmt: skip


def deed(act: str) -> str:
    """An act of the audit trail as people say it.

    >>> deed("intake-key.create"), deed("situation.acknowledge"), deed("sign-in")
    ('made intake key', 'acknowledged situation', 'signed in')
    """
    subject, dot, verb = act.partition(".")
    if not dot:
        return ACTS.get(subject, subject.replace("-", " "))
    done = VERBS.get(verb, f"{verb}d" if verb.endswith("e") else f"{verb}ed")
    return f"{done} {subject.replace('-', ' ')}"
