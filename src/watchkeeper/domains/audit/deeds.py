"""Acts of the audit trail as people say them."""

from __future__ import annotations

VERBS = {"create": "made", "new": "made", "split": "split", "undo": "took back a change of", "note": "noted on",
         "prefer": "chose preferences of", "cancel": "cancelled", "retry": "tried again",
         "unacknowledge": "took back the acknowledgement of", "switch-off": "switched off",
         "rotate-secret": "made a new secret of", "end": "ended", "open": "opened", "replay": "replayed",
         "remind": "reminded of", "begin": "began",
         "withdraw": "withdrew", "keep": "kept", "apply": "put into effect", "begin-later": "put off",
         "find-ended": "found ended", "revoke-unanswered": "revoked for want of an answer"}  # fmt: skip
ACTS = {"alert.usual": "called usual the alert", "judgement.unusual": "took back the judgement",
        "article.remind": "asks for a review of", "problem-action.remind": "waits for",
        "sign-in": "signed in", "sign-out": "signed out", "first-sign-in": "signed in for the first time",
        "sign-in.failed": "failed to sign in"}  # fmt: skip


def deed(act: str) -> str:
    """An act of the audit trail as people say it.

    >>> deed("intake-key.create"), deed("situation.acknowledge"), deed("sign-in.failed")
    ('made intake key', 'acknowledged situation', 'failed to sign in')
    """
    subject, dot, verb = act.partition(".")
    if act in ACTS or not dot:
        return ACTS.get(act, subject.replace("-", " "))
    done = VERBS.get(verb, f"{verb}d" if verb.endswith("e") else f"{verb}ed")
    return f"{done} {subject.replace('-', ' ')}"
