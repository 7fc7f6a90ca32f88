"""Acts of the audit trail as people say them."""

from __future__ import annotations

VERBS = {"create": "made", "new": "made", "split": "split", "undo": "took back a change of", "note": "noted on",
         "prefer": "chose preferences of", "cancel": "cancelled", "retry": "tried again",
         "unacknowledge": "took back the acknowledgement of", "switch-off": "switched off",
         "rotate-secret": "made a new secret of", "end": "ended", "open": "opened", "replay": "replayed",
         "remind": "reminded of", "begin": "began",
         "withdraw": "withdrew", "keep": "kept", "apply": "put into effect", "begin-later": "put off",
         "find-ended": "found ended", "revoke-unanswered": "revoked for want of an answer",
         "add": "added to", "add-checklist": "added a checklist to", "again": "made anew",
         "assign-by-rule": "assigned by rule",
         "back-out": "backed out", "by-hand": "went on by hand with", "carry-out": "carried out a step of",
         "change-places": "changed places of", "done": "finished", "doubt": "investigated again", "end-now": "ended",
         "give-back": "gave back", "go-on": "went on with", "hand-over": "handed over", "helpful": "was helped by",
         "investigate": "began to investigate", "know": "named the known error of", "look": "looked for",
         "macro": "ran a macro on", "make-problem": "made a problem of", "not-extend": "did not extend",
         "not-helpful": "was not helped by", "not-the-same": "told apart", "offer-again": "offered again",
         "put-off": "put off", "read-now": "read", "read-text": "read a text into", "redraft": "put back to draft",
         "rule-out": "ruled out", "run": "went through", "run-out": "noted the end of", "send-back": "sent back",
         "send-code": "sent a code for", "set-state": "set the state of", "sign-out": "signed out", "skip": "skipped",
         "start-timer": "started the timer of", "stop": "stopped", "stop-timer": "stopped the timer of", "take": "took",
         "take_back": "took back", "undone": "reopened", "use-workaround": "used the workaround of",
         "verify": "verified", "write-anew": "wrote anew", "write-article": "wrote an article about",
         "write-report": "wrote a report about"}  # fmt: skip
NAMES = {"post-incident-report": "post-incident report"}
ACTS = {"alert.usual": "called usual the alert", "judgement.unusual": "took back the judgement",
        "article.remind": "asks for a review of", "article.review": "asked for a review of article",
        "change.ask": "asked for approval of change", "runbook.use": "put into use runbook",
        "ticket.ask": "asked the requester of ticket", "ticket.break-promise": "noted a broken promise of ticket",
        "ticket.absorb": "merged another into ticket", "ticket.let-go": "took another out of ticket",
        "ticket.unmerge": "undid the merge of ticket", "ticket.release": "gave back ticket",
        "ticket.open-incident": "opened incident", "ticket.use-workaround": "used a workaround on ticket",
        "ticket.reply": "replied on ticket", "problem-action.remind": "waits for",
        "sign-in": "signed in", "sign-out": "signed out", "first-sign-in": "signed in for the first time",
        "sign-in.failed": "failed to sign in"}  # fmt: skip


def deed(act: str) -> str:
    """An act of the audit trail as people say it.

    >>> deed("intake-key.create"), deed("situation.acknowledge"), deed("sign-in.failed")
    ('made intake key', 'acknowledged situation', 'failed to sign in')
    >>> deed("problem.know"), deed("post-incident-report.create")
    ('named the known error of problem', 'made post-incident report')
    """
    subject, dot, verb = act.partition(".")
    if act in ACTS or not dot:
        return ACTS.get(act, subject.replace("-", " "))
    done = VERBS.get(verb, f"{verb}d" if verb.endswith("e") else f"{verb}ed")
    return f"{done} {NAMES.get(subject, subject.replace('-', ' '))}"
