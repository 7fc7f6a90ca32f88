"""Fetches the mails of accounts by IMAP, from the uid after the last that is kept here; what has to be done at the server is
done after, and again until it has been. Whatever breaks off between, the next round goes on from there."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import threading

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from watchkeeper.domains.desk.mail import spool
from watchkeeper.domains.desk.mail.imap import Mailbox, opened
from watchkeeper.domains.desk.mail.models import SEALED, IncomingMail, MailAccount
from watchkeeper.domains.desk.mail.taking import take_in
from watchkeeper.model.errors import WatchkeeperError

MOST = 128 * 1024**2  # bytes of a mail that are fetched
LOOK_EVERY = 1.0  # seconds
_FILED = 200  # mails at a time
_log = logging.getLogger(__name__)
State, Then = MailAccount.State, MailAccount.Then


class Fetcher:
    """Inert until `run`. Each account has a thread of its own while it is asked: a server that hangs delays no other."""

    def __init__(self) -> None:
        self._asking: dict[int, threading.Thread] = {}

    def run(self, stop: threading.Event) -> None:
        """Ask accounts when they are due, and take from the spool of the SMTP door, until `stop` is set."""
        while not stop.wait(LOOK_EVERY):
            try:
                close_old_connections()
                spool.take_all(stop)
                for account in _due():
                    self._ask(account, stop)
            except (DatabaseError, WatchkeeperError, OSError) as error:
                _log.warning("mail accounts cannot be looked after, trying again: %s", error)

    def _ask(self, account: MailAccount, stop: threading.Event) -> None:
        there = self._asking.get(account.pk)
        if there is not None and there.is_alive():
            return
        thread = threading.Thread(
            target=_in_thread, args=(account, stop), name=f"mail {account.pk}", daemon=True
        )
        self._asking[account.pk] = thread
        thread.start()


def _due() -> list[MailAccount]:
    now = timezone.now()
    found = MailAccount.objects.filter(enabled=True, way=MailAccount.Way.IMAP).defer(*SEALED)
    return [a for a in found if a.asked_at is None or a.asked_at + dt.timedelta(seconds=a.interval) <= now]


def _in_thread(account: MailAccount, stop: threading.Event) -> None:
    try:
        ask(account, stop)
    except DatabaseError as error:
        _log.warning("mails of %s could not be kept, trying again: %s", account, error)
    finally:
        connection.close()


def ask(account: MailAccount, stop: threading.Event | None = None) -> int:
    """Take in what is new; how many mails. What is wrong with the server is noted at the account."""
    MailAccount.objects.filter(pk=account.pk).update(asked_at=timezone.now())
    state, reason, taken = State.WORKING, "", 0
    try:
        with opened(account) as mailbox:
            _begin(account, mailbox)
            for uid in mailbox.after(account.last_uid):
                if stop is not None and stop.is_set():
                    break
                taken += _take(account, mailbox, uid)
            _file(account, mailbox)
    except (WatchkeeperError, OSError) as error:
        state, reason = State.FAILING, getattr(error, "detail", "") or str(error) or type(error).__name__
    MailAccount.objects.filter(pk=account.pk).update(state=state, reason=reason[:500])
    return taken


def _begin(account: MailAccount, mailbox: Mailbox) -> None:
    """Where to go on: at the beginning where the server has numbered its mails anew, at the end of a mailbox of which the
    old mails are not wanted."""
    if account.uid_validity == mailbox.validity:
        return
    first = account.uid_validity == 0
    account.last_uid = max(0, mailbox.next_uid - 1) if first and not account.old_mails else 0
    account.uid_validity = mailbox.validity
    still = MailAccount.objects.filter(pk=account.pk, **account.mailbox)  # it may be led elsewhere meanwhile
    still.update(uid_validity=account.uid_validity, last_uid=account.last_uid)


def _places(account: MailAccount, mailbox: Mailbox) -> str:
    """What the places of this mailbox's mails begin with: another one may number its mails alike."""
    mark = hashlib.sha256("\0".join(account.mailbox.values()).encode()).hexdigest()[:12]
    return f"{mark}:{mailbox.validity}:"


def _take(account: MailAccount, mailbox: Mailbox, uid: int) -> int:
    raw = mailbox.mail(uid, MOST)
    row = None
    if raw is not None:
        row = take_in(account, f"{_places(account, mailbox)}{uid}", raw, cut=len(raw) >= MOST)
    account.last_uid = uid  # a kill before this is noted costs a look at a mail that is known
    MailAccount.objects.filter(pk=account.pk, uid_validity=mailbox.validity).filter(last_uid__lt=uid).update(
        last_uid=uid
    )
    return int(row is not None)


def _file(account: MailAccount, mailbox: Mailbox) -> None:
    """Do at the server what is to be done with the mails that are kept, once."""
    places = _places(account, mailbox)
    waiting = IncomingMail.objects.filter(account=account, filed=False, place__startswith=places)
    while rows := list(waiting.order_by("pk").values_list("pk", "place")[:_FILED]):
        uids = [int(place.removeprefix(places)) for _, place in rows]
        match account.then:
            case Then.MOVED:
                mailbox.move(uids, account.move_to)
            case Then.DELETED:
                mailbox.delete(uids)
            case _:
                mailbox.seen(uids)
        IncomingMail.objects.filter(pk__in=[pk for pk, _ in rows]).update(filed=True)
