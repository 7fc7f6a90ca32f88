"""Event rules: what shall happen when something is done to a record: a signed webhook, a notice to people, a job.

A condition in CEL decides, in a process of its own with a limit of time (`conditions`); a rule's every firing is kept
with what came of it (`models.Firing`), and can be replayed. Nothing of this happens in the transaction of the act.
"""
