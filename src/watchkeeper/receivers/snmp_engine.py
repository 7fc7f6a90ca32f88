"""The SNMPv3 engine of this installation: opens messages by the User-based Security Model (RFC 3414) and answers what
asks for an answer. Its id stays the same, and it counts its starts, in a file of the data folder, so that senders of
informs find their way back. For one thread.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snmp.security.models import SecurityModel
from snmp.security.usm import UserBasedSecurityModule, auth, implementation, priv
from snmp.security.usm.cisco import priv as reeder
from snmp.security.usm.eso import priv as blumenthal
from snmp.security.usm.timekeeper import EngineTime, TimeKeeper, UsmNotInTimeWindow
from snmp.v3.message import (
    HeaderData,
    MessageFlags,
    ReportMessage,
    ScopedPDU,
    SecurityName,
    SNMPv3Message,
    SNMPv3WireMessage,
)

from watchkeeper.model.declared import SnmpUser, SnmpUsers
from watchkeeper.model.errors import Malformed, Unauthorised
from watchkeeper.receivers.snmp_messages import BROKEN, Received, response, told

AUTHS = {
    "md5": auth.HmacMd5, "sha": auth.HmacSha, "sha224": auth.HmacSha224, "sha256": auth.HmacSha256,
    "sha384": auth.HmacSha384, "sha512": auth.HmacSha512,
}  # fmt: skip
PRIVACIES = {
    "des": priv.DesCbc, "aes": priv.AesCfb128, "aes192": blumenthal.EsoAesCfb192, "aes256": blumenthal.EsoAesCfb256,
    "aes192c": reeder.CiscoAesCfb192, "aes256c": reeder.CiscoAesCfb256,
}  # fmt: skip
_PREFIX = bytes.fromhex(
    "80004fb805"
)  # RFC 3411, SnmpEngineID: an enterprise, and then octets of its own choice
_USERS = "users"
_ENGINES = 4096  # senders whose clocks and keys are remembered
_MAX_SIZE = 65_507
_REASONS = {
    implementation.UsmUnknownUserName: "unknown_user",
    implementation.UsmWrongDigest: "wrong_digest",
    implementation.UsmDecryptionError: "decryption_error",
    implementation.UsmUnsupportedSecLevel: "security_level",
    implementation.UsmUnknownEngineID: "unknown_engine",
    UsmNotInTimeWindow: "not_in_time_window",
}


class Engine:
    """`state` is the file with its id and the number of its starts; `now` gives seconds that never go back."""

    def __init__(self, state: Path, users: SnmpUsers, now: Callable[[], float]) -> None:
        self.id, self.boots = _begun(state)
        self._users, self._now = users, now
        self._began = EngineTime(now(), self.boots, authoritative=True)
        self._known: tuple[SnmpUser, ...] = ()
        self._usm = self._with(())

    def receive(self, data: bytes, sender: str) -> Received:
        """What a message of version 3 tells, or the report that answers it. Raises Malformed, or Unauthorised whose
        reason says what is wrong."""
        self._look()
        usm = self._usm
        try:
            wire = SNMPv3WireMessage.decodeExact(data)
            if wire.header.securityModel is not SecurityModel.USM:
                raise Malformed("another security model than USM", reason="security_model")
            message = usm.processIncoming(wire, self._now())
        except ReportMessage as report:
            return Received(None, usm.prepareOutgoing(report.message, self._now()))
        except tuple(_REASONS) as error:
            reason = next(r for kind, r in _REASONS.items() if isinstance(error, kind))
            raise Unauthorised(f"SNMPv3: {reason.replace('_', ' ')}", reason=reason) from error
        except BROKEN as error:
            raise Malformed(f"no SNMPv3 message: {type(error).__name__}") from error
        return self._opened(message, sender)

    def _opened(self, message: Any, sender: str) -> Received:
        name, level = message.securityName.userName, message.header.flags.securityLevel
        if not self._usm.users.exists(name, _USERS):  # the library asks only of those who sign
            raise Unauthorised("SNMPv3: unknown user", reason="unknown_user")
        wanted = self._usm.maxSecurityLevel(name, _USERS)
        if level != wanted:
            raise Unauthorised(f"SNMPv3: a message of this user has to be {wanted}", reason="security_level")
        pdu = message.scopedPDU.pdu
        if not pdu.NOTIFICATION_CLASS:
            raise Malformed("no notification: nothing can be asked here", reason="no_notification")
        try:
            found = told(pdu.variableBindings, "3", sender, name.decode("utf-8", "replace"))
            found.signed = level.auth
            return Received(found, self._answer(message, response(pdu)) if pdu.CONFIRMED_CLASS else b"")
        except BROKEN as error:
            raise Malformed(f"no notification: {error}") from error

    def _answer(self, message: Any, pdu: Any) -> bytes:
        answer = SNMPv3Message(
            HeaderData(message.header.msgID, _MAX_SIZE, MessageFlags(message.header.flags.securityLevel),
                       SecurityModel.USM),
            ScopedPDU(pdu, message.scopedPDU.contextEngineID, message.scopedPDU.contextName),
            self.id,
            SecurityName(message.securityName.userName, _USERS),
        )  # fmt: skip
        sent: bytes = self._usm.prepareOutgoing(answer, self._now())
        return sent

    def _look(self) -> None:
        """Take over users that were declared meanwhile, and forget senders when they are too many."""
        users = self._users.snmp_users()
        if users != self._known:
            clocks = self._usm.timekeeper
            self._usm = self._with(users)
            self._usm.timekeeper = clocks
        if len(self._usm.timekeeper.table) > _ENGINES:
            self._usm.timekeeper = TimeKeeper()
        for keys in self._usm.users.localizedCredentials.get(_USERS, {}).values():
            if len(keys) > _ENGINES:
                keys.clear()

    def _with(self, users: tuple[SnmpUser, ...]) -> Any:
        usm = UserBasedSecurityModule(_USERS, self.id, self.boots)
        usm.engineTime = self._began  # its own would be wall time, which may go back
        for user in users:
            given: dict[str, Any] = {}
            if user.auth != "none":
                given |= {"authProtocol": AUTHS[user.auth], "authSecret": user.auth_secret.encode()}
            if user.privacy != "none":
                given |= {"privProtocol": PRIVACIES[user.privacy], "privSecret": user.privacy_secret.encode()}
            usm.addUser(user.name.encode(), _USERS, **given)
        self._known = users
        return usm


def _begun(state: Path) -> tuple[bytes, int]:
    """The id, and this start's number; both are on disk when this returns. Raises OSError."""
    try:
        kept = json.loads(state.read_text())
        engine, boots = bytes.fromhex(kept["engine_id"]), int(kept["boots"])
    except (OSError, ValueError, KeyError, TypeError):
        engine, boots = _PREFIX + secrets.token_bytes(12), 0
    boots = min(boots + 1, 2**31 - 1)
    new = state.with_name(f".{state.name}.new")
    with new.open("w") as f:
        json.dump({"engine_id": engine.hex(), "boots": boots}, f)
        f.flush()
        os.fsync(f.fileno())
    new.replace(state)
    return engine, boots
