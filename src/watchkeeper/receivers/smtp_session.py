"""One conversation by SMTP (RFC 5321): who sends is known by the key that the recipient's address begins with, or by signing
in with it (RFC 4954); a mail is accepted once the journal has synced its event.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from watchkeeper.model.doors import IntakeKey, Keyring
from watchkeeper.model.errors import Malformed, RateLimited, TooLarge, Unauthorised, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.events import batch, rows
from watchkeeper.receivers.http import Group
from watchkeeper.receivers.limits import RateLimiter
from watchkeeper.receivers.mail import MOST, NAME, reported
from watchkeeper.receivers.smtp_spool import LARGEST, Spool
from watchkeeper.receivers.smtp_wire import Ended, Wire
from watchkeeper.receivers.syslog_datagrams import as_ipv4

COMMAND_TIME = 60.0  # seconds between two lines
MAIL_TIME = 300.0  # seconds for a whole mail
_WRONG = 10  # commands that may be wrong, and
_REFUSED = 3  # keys, before we hang up
_MAILS = 1000  # of one connection
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>(.*)", re.IGNORECASE)
_SIZE = re.compile(r"\bSIZE=(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Shared:
    """What all connections of the door share."""

    keyring: Keyring
    group: Group
    counters: DoorCounters
    letters: DeadLetters
    limiter: RateLimiter
    now_ms: Callable[[], int]
    tls: ssl.SSLContext | None
    name: str  # of this host
    spool: Spool | None = None  # for mails to accounts of the service desk


def _most(spool: Spool | None) -> int:
    """Bytes of a mail that may come at all."""
    return LARGEST if spool is not None and spool.open else MOST


class Session:
    """Serves one connection to its end."""

    def __init__(self, wire: Wire, shared: Shared) -> None:
        self._wire, self._shared = wire, shared
        self._address = as_ipv4(wire.address())
        self._key: IntakeKey | None = None
        self._signed_in = False
        self._sender: str | None = None
        self._accounts: set[int] = set()
        self._events = self._wrong = self._refused = self._mails = 0
        self._greeted = False

    async def serve(self) -> None:
        """Until the other side ends it, or is too slow, or too often wrong."""
        try:
            await self._say(f"220 {self._shared.name} ESMTP Watchkeeper")
            while self._wrong < _WRONG and self._refused < _REFUSED and self._mails < _MAILS:
                command, _, rest = self._text(await self._wire.line(COMMAND_TIME)).partition(" ")
                if command.upper() in ("GET", "POST", "PUT"):
                    break  # a browser that was sent here
                if not await self._handle(command.upper(), rest.strip()):
                    return
            await self._say("421 4.7.0 That is enough; goodbye")
        except ValueError:
            self._shared.counters.reject("line_too_long")
            await self._last_word("500 5.5.6 The line is too long")
        except Ended:
            return
        finally:
            self._wire.close()

    async def _handle(self, command: str, rest: str) -> bool:
        """Answer one command; False at the end."""
        known: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data,
            "RSET": self._rset, "AUTH": self._auth, "STARTTLS": self._starttls,
        }  # fmt: skip
        if command == "QUIT":
            await self._say("221 2.0.0 Goodbye")
            return False
        if command in known:
            await known[command](rest)
        elif command in ("NOOP", "VRFY"):
            await self._say("250 2.0.0 Yes" if command == "NOOP" else "252 2.5.1 Send it, and see")
        else:
            self._wrong += 1
            await self._say("502 5.5.1 That command is not known")
        return True

    async def _ehlo(self, _: str) -> None:
        self._forget()
        self._greeted = True
        offers = [
            self._shared.name,
            f"SIZE {_most(self._shared.spool)}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "PIPELINING",
        ]
        if self._shared.tls is not None and not self._wire.secure:
            offers.append("STARTTLS")
        else:
            offers.append("AUTH PLAIN LOGIN")
        await self._say("\r\n".join([*(f"250-{x}" for x in offers[:-1]), f"250 {offers[-1]}"]))

    async def _helo(self, _: str) -> None:
        self._forget()
        self._greeted = True
        await self._say(f"250 {self._shared.name}")

    async def _rset(self, _: str) -> None:
        self._forget()
        await self._say("250 2.0.0 Begin anew")

    async def _starttls(self, _: str) -> None:
        if self._shared.tls is None or self._wire.secure:
            return await self._no("502 5.5.1 TLS cannot begin")
        if self._wire.has_more():  # what came in the clear must not count as said in secret
            raise Ended
        await self._say("220 2.0.0 Begin")
        await self._wire.begin_tls(self._shared.tls)
        self._forget()
        self._greeted = self._signed_in = False
        return None

    async def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if self._shared.tls is not None and not self._wire.secure:
            return await self._no("538 5.7.11 Begin TLS first")
        if self._signed_in or not self._greeted:
            return await self._no("503 5.5.1 Not now")
        match mechanism.upper():
            case "PLAIN":
                given = initial or await self._ask("")
                secret = _plain(given).rpartition("\0")[2]
            case "LOGIN":
                if not initial:
                    await self._ask("VXNlcm5hbWU6")
                secret = _plain(await self._ask("UGFzc3dvcmQ6"))
            case _:
                return await self._no("504 5.5.4 PLAIN or LOGIN")
        try:
            self._key = self._shared.keyring.by_secret(secret, NAME, self._address)
        except Unauthorised as error:
            return await self._unauthorised("535 5.7.8", error)
        self._signed_in = True
        return await self._say("235 2.7.0 Welcome")

    async def _ask(self, text: str) -> str:
        await self._say(f"334 {text}")
        return self._text(await self._wire.line(COMMAND_TIME))

    async def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if not self._greeted or self._sender is not None:
            return await self._no("503 5.5.1 EHLO comes first, and one mail after the other")
        if found is None:
            return await self._no("501 5.5.4 MAIL FROM:<address>")
        size = _SIZE.search(found[2])
        most = _most(self._shared.spool)
        if size and (len(size[1]) > 12 or int(size[1]) > most):
            self._shared.counters.reject(TooLarge.reason)
            return await self._no(f"552 5.3.4 A mail may have {most} bytes")
        self._sender = found[1]
        return await self._say("250 2.1.0 Yes")

    async def _rcpt(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._sender is None:
            return await self._no("503 5.5.1 MAIL comes first")
        if found is None:
            return await self._no("501 5.5.4 RCPT TO:<key@host>")
        if self._events + len(self._accounts) >= 100:
            return await self._no("452 4.5.3 Too many recipients")
        if not self._signed_in:
            secret = found[1].rpartition("@")[0].strip('"').partition("+")[0]
            try:
                self._key = self._shared.keyring.by_secret(secret, NAME, self._address)
            except Unauthorised as error:
                return await self._unauthorised("550 5.1.1", error)
        account = self._shared.spool.account(found[1]) if self._shared.spool is not None else None
        if self._events if account is not None else self._accounts:
            return await self._no("452 4.5.3 Alerts and tickets come in mails of their own")
        if account is not None:
            self._accounts.add(account)
        else:
            self._events += 1
        return await self._say("250 2.1.5 Yes")

    async def _data(self, _: str) -> None:
        if self._key is None or not (self._events or self._accounts):
            return await self._no("503 5.5.1 RCPT comes first")
        key, sender, accounts = self._key, self._sender or "", self._accounts
        most = LARGEST if accounts else MOST
        try:
            self._shared.limiter.check(key)
        except RateLimited as error:
            self._shared.counters.reject(error.reason)
            self._forget()
            return await self._say(f"450 4.7.1 {error.detail}")
        await self._say("354 Go on; a line with a dot ends it")
        self._mails += 1
        try:
            async with asyncio.timeout(MAIL_TIME):
                raw = await self._wire.mail(most, COMMAND_TIME)
        except TimeoutError:
            self._shared.counters.reject("slow_client")
            raise Ended from None
        except ValueError:
            self._shared.counters.reject(TooLarge.reason)
            await self._say(f"552 5.3.4 A mail may have {most} bytes")
            raise Ended from None
        self._forget()
        self._shared.counters.in_flight += 1
        try:
            answer = await (self._spool(raw, accounts, key) if accounts else self._take(raw, sender, key))
        finally:
            self._shared.counters.in_flight -= 1
        return await self._say(answer)

    async def _spool(self, raw: bytes | None, accounts: set[int], key: IntakeKey) -> str:
        """Keep a mail for accounts of the service desk; what to answer."""
        counters, spool = self._shared.counters, self._shared.spool
        if raw is None or spool is None:
            counters.reject(TooLarge.reason)
            return f"552 5.3.4 A mail may have {LARGEST} bytes"
        try:
            await asyncio.to_thread(spool.keep, raw, accounts)
        except OSError as error:  # the sender tries again
            counters.reject("disk_full")
            return f"451 4.3.1 The mail cannot be kept: {error.strerror}"
        counters.accept(1, len(raw), self._shared.now_ms())
        self._shared.limiter.charge(key, 1)
        return "250 2.6.0 It is safe"

    async def _take(self, raw: bytes | None, sender: str, key: IntakeKey) -> str:
        """Journal a mail; what to answer."""
        counters, now_ms = self._shared.counters, self._shared.now_ms()
        try:
            if raw is None:
                raise TooLarge(f"a mail may have {MOST} bytes")
            told = await asyncio.to_thread(reported, raw, sender, now_ms)
            await self._shared.group.submit([(Stream.EVENTS, batch(NAME, rows([told], now_ms), now_ms))])
        except (Malformed, TooLarge) as error:
            counters.reject(error.reason)
            await self._keep(Letter(error.reason, error.detail, raw or b""), key, now_ms)
            return f"{'552 5.3.4' if isinstance(error, TooLarge) else '554 5.6.0'} {error.detail}"
        except WatchkeeperError as error:  # the journal is full: the sender tries again
            counters.reject(error.reason)
            return f"451 4.3.1 {error.detail}"
        counters.accept(1, len(raw), now_ms)
        self._shared.limiter.charge(key, 1)
        return "250 2.6.0 It is safe"

    async def _keep(self, letter: Letter, key: IntakeKey, now_ms: int) -> None:
        entries = self._shared.letters.rows(self._shared.counters, key.name, [letter], now_ms)
        if entries:
            try:
                await self._shared.group.submit(entries)
            except WatchkeeperError as error:
                self._shared.counters.reject(error.reason)

    async def _unauthorised(self, code: str, error: Unauthorised) -> None:
        self._refused += 1
        self._shared.counters.reject(error.reason)
        await self._say(f"{code} {error.detail}")

    async def _no(self, text: str) -> None:
        self._wrong += 1
        await self._say(text)

    async def _say(self, text: str) -> None:
        await self._wire.say(text, COMMAND_TIME)

    async def _last_word(self, text: str) -> None:
        try:
            await self._say(text)
        except Ended:
            return

    def _forget(self) -> None:
        self._sender, self._events, self._accounts = None, 0, set()
        if not self._signed_in:
            self._key = None

    @staticmethod
    def _text(line: bytes) -> str:
        return line.decode("utf-8", "replace")


def _plain(text: str) -> str:
    """What base64 says; "" when it is none."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
