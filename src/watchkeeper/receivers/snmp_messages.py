"""SNMP messages in bytes, of all three versions: what they tell, and how an inform is answered. Versions 1 and 2c are
read here, 3 by its engine (snmp_engine). The library `snmp` decodes; what it does not know is the trap of version 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from snmp.asn1 import Constructed
from snmp.ber import ParseError, Tag
from snmp.ber import decode as split
from snmp.exception import SNMPException, SNMPLibraryBug
from snmp.message import Message, ProtocolVersion
from snmp.pdu import InformRequestPDU, ResponsePDU, SNMPv2TrapPDU
from snmp.smi import OID, Integer, IpAddress, TimeTicks, VarBindList

from watchkeeper.model.errors import Malformed
from watchkeeper.receivers.snmp import Told

UPTIME, TRAP_OID = "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.1.1.4.1.0"
_ENTERPRISE, _ADDRESS = "1.3.6.1.6.3.1.1.4.3.0", "1.3.6.1.6.3.18.1.3.0"
_GENERIC = "1.3.6.1.6.3.1.1.5"
_SPECIFIC = 6
#: what the library raises for bytes that are no message
BROKEN = (SNMPException, SNMPLibraryBug, ValueError, IndexError, TypeError, OverflowError)


class Received(NamedTuple):
    """A notification, if it is one, and the bytes that answer it: with a notification once it is safe, else now."""

    told: Told | None
    answer: bytes = b""


class TrapV1PDU(Constructed):  # type: ignore[misc]
    """Trap-PDU of RFC 1157, section 4.1.6."""

    TAG = Tag(4, True, Tag.Class.CONTEXT_SPECIFIC)

    def __init__(
        self, enterprise: Any, agent: Any, generic: int, specific: int, uptime: int, variables: Any
    ) -> None:
        self.enterprise, self.agent, self.generic, self.specific = enterprise, agent, generic, specific
        self.uptime, self.variables = uptime, variables

    def __iter__(self) -> Iterator[Any]:
        numbers = (Integer(self.generic), Integer(self.specific), TimeTicks(self.uptime))
        return iter((self.enterprise, self.agent, *numbers, self.variables))

    def __len__(self) -> int:
        return 6

    @classmethod
    def deserialize(cls, data: Any) -> TrapV1PDU:
        """Raises ParseError."""
        enterprise, data = OID.decode(data)
        agent, data = IpAddress.decode(data)
        generic, data = Integer.decode(data)
        specific, data = Integer.decode(data)
        uptime, data = TimeTicks.decode(data)
        variables = VarBindList.decodeExact(data)
        return cls(enterprise, agent, generic.value, specific.value, uptime.value, variables)


_PDUS = {
    ProtocolVersion.SNMPv1: {TrapV1PDU.TAG: TrapV1PDU},
    ProtocolVersion.SNMPv2c: {pdu.TAG: pdu for pdu in (SNMPv2TrapPDU, InformRequestPDU)},
}


def version(data: bytes) -> str:
    """1, 2c or 3. Raises Malformed."""
    try:
        _, body, _ = split(data)
        number, _ = Integer.decode(body)
        return {0: "1", 1: "2c", 3: "3"}[number.value]
    except (*BROKEN, KeyError) as error:
        raise Malformed(f"no SNMP message: {_said(error)}") from error


def receive(data: bytes, spoken: str, sender: str) -> Received:
    """A message of version 1 or 2c. Raises Malformed."""
    known = ProtocolVersion.SNMPv1 if spoken == "1" else ProtocolVersion.SNMPv2c
    try:
        message = Message.decodeExact(data, types=_PDUS[known])
        if spoken == "1":
            return Received(_translated(message.pdu, sender))
        answer = b""
        if isinstance(message.pdu, InformRequestPDU):
            answer = Message(message.version, message.community, response(message.pdu)).encode()
        return Received(told(message.pdu.variableBindings, spoken, sender), answer)
    except BROKEN as error:
        raise Malformed(f"no notification of SNMP version {spoken}: {_said(error)}") from error


def told(bindings: Iterable[Any], spoken: str, sender: str, user: str = "") -> Told:
    """What the variables of a notification of version 2 or 3 say. Raises ParseError."""
    uptime, trap, variables = 0, "", list[tuple[str, str]]()
    for one in bindings:
        name = str(one.name)
        if name == UPTIME and isinstance(one.value, TimeTicks):
            uptime = one.value.value
        elif name == TRAP_OID and not trap:
            trap = str(one.value) if isinstance(one.value, OID) else ""
        else:
            variables.append((name, text(one.value)))
    if not trap:
        raise ParseError("it does not say which (snmpTrapOID.0)", b"")
    return Told(sender, spoken, trap, variables, uptime, user)


def response(inform: Any) -> Any:
    """The PDU that confirms an inform: the same variables, and no error (RFC 3416, section 4.2.7)."""
    return ResponsePDU(requestID=inform.requestID, variableBindings=inform.variableBindings)


def text(value: Any) -> str:
    """A value as people read it: text where it is text, else in hexadecimal as addresses are written."""
    if isinstance(value, IpAddress):
        return str(value.addr)
    data = getattr(value, "data", None)
    if isinstance(data, bytes):
        try:
            decoded = data.decode().rstrip("\x00")
        except UnicodeDecodeError:
            decoded = "\x00"
        if decoded.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in decoded):
            return decoded.strip()
        return data.hex(":")
    if isinstance(value, OID):
        return str(value)
    number = getattr(value, "value", None)
    return "" if number is None else str(number)


def _translated(pdu: TrapV1PDU, sender: str) -> Told:
    """A trap of version 1 as one of version 2, RFC 3584, section 3.1. The community is left out."""
    if pdu.generic == _SPECIFIC:
        trap = f"{pdu.enterprise}.0.{pdu.specific}"
    elif 0 <= pdu.generic < _SPECIFIC:
        trap = f"{_GENERIC}.{pdu.generic + 1}"
    else:
        raise ParseError(f"generic trap {pdu.generic}", b"")
    own = [(str(one.name), text(one.value)) for one in pdu.variables]
    added = [(_ADDRESS, pdu.agent.addr), (_ENTERPRISE, str(pdu.enterprise))]
    return Told(sender, "1", trap, [*own, *(a for a in added if a[0] not in dict(own))], pdu.uptime)


def _said(error: Exception) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__)[:200]
