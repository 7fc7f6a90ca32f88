"""The handler of the outbox that mails notices; see mailing."""

from watchkeeper.domains.inbox import mailing  # noqa: F401  (it registers)
