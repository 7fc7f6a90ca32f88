"""Names of SNMP: notifications and variables of the MIBs that every network has, by OID, without a MIB file.

Sources: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), BGP4-MIB (RFC 4273), OSPF-TRAP-MIB (RFC 4750), BRIDGE-MIB (RFC
4188), RMON-MIB (RFC 2819), ENTITY-MIB (RFC 6933), UPS-MIB (RFC 1628), VRRP-MIB (RFC 2787), DISMAN-EVENT-MIB (RFC
2981), CISCO-CONFIG-MAN-MIB, NET-SNMP-AGENT-MIB.
"""

from __future__ import annotations

from typing import NamedTuple


class Notification(NamedTuple):
    """What a notification means. `about` is the variable that says which part of the host is meant. `over` names the
    alert that it ends. `lasts` is for how long it stands when it is not told again, in milliseconds; 0: until another
    ends it."""

    name: str
    severity: str
    about: str = ""
    over: str = ""
    lasts: int = 0


MOMENT_MS = 3_600_000  # what only happened stands as an alert for an hour,
UNKNOWN_MS = 24 * 3_600_000  # and what nothing is known to end for a day

_TRAPS = "1.3.6.1.6.3.1.1.5"
_MIB_2 = "1.3.6.1.2.1"

NOTIFICATIONS = {
    f"{_TRAPS}.1": Notification("coldStart", "warning", lasts=MOMENT_MS),
    f"{_TRAPS}.2": Notification("warmStart", "info", lasts=MOMENT_MS),
    f"{_TRAPS}.3": Notification("linkDown", "error", "ifIndex"),
    f"{_TRAPS}.4": Notification("linkUp", "info", "ifIndex", over="linkDown"),
    f"{_TRAPS}.5": Notification("authenticationFailure", "warning", lasts=MOMENT_MS),
    f"{_TRAPS}.6": Notification("egpNeighborLoss", "error", lasts=MOMENT_MS),
    f"{_MIB_2}.15.0.1": Notification("bgpEstablished", "info", "bgpPeer", over="bgpBackwardTransition"),
    f"{_MIB_2}.15.0.2": Notification("bgpBackwardTransition", "error", "bgpPeer"),
    f"{_MIB_2}.15.7.1": Notification("bgpEstablished", "info", "bgpPeer", over="bgpBackwardTransition"),
    f"{_MIB_2}.15.7.2": Notification("bgpBackwardTransition", "error", "bgpPeer"),
    f"{_MIB_2}.14.16.2.1": Notification("ospfVirtIfStateChange", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.14.16.2.2": Notification("ospfNbrStateChange", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.14.16.2.16": Notification("ospfIfStateChange", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.16.0.1": Notification("risingAlarm", "warning", "alarmIndex"),
    f"{_MIB_2}.16.0.2": Notification("fallingAlarm", "info", "alarmIndex", over="risingAlarm"),
    f"{_MIB_2}.17.0.1": Notification("newRoot", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.17.0.2": Notification("topologyChange", "info", lasts=MOMENT_MS),
    f"{_MIB_2}.33.2.1": Notification("upsOnBattery", "critical", lasts=180_000),  # told each minute
    f"{_MIB_2}.33.2.2": Notification("upsTestCompleted", "info", lasts=MOMENT_MS),
    f"{_MIB_2}.33.2.3": Notification("upsAlarm", "error", "upsAlarmId"),
    f"{_MIB_2}.33.2.4": Notification("upsAlarmRemoved", "info", "upsAlarmId", over="upsAlarm"),
    f"{_MIB_2}.47.2.0.1": Notification("entConfigChange", "info", lasts=MOMENT_MS),
    f"{_MIB_2}.68.0.1": Notification("vrrpNewMaster", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.68.0.2": Notification("vrrpAuthFailure", "warning", lasts=MOMENT_MS),
    f"{_MIB_2}.88.2.0.1": Notification("mteTriggerFired", "warning", "mteHotTrigger"),
    f"{_MIB_2}.88.2.0.2": Notification("mteTriggerRising", "warning", "mteHotTrigger"),
    f"{_MIB_2}.88.2.0.3": Notification("mteTriggerFalling", "info", "mteHotTrigger", over="mteTriggerRising"),
    f"{_MIB_2}.88.2.0.4": Notification("mteTriggerFailure", "warning", "mteHotTrigger"),
    "1.3.6.1.4.1.9.9.43.2.0.1": Notification("ciscoConfigManEvent", "info", lasts=MOMENT_MS),
    "1.3.6.1.4.1.8072.4.0.1": Notification("nsNotifyStart", "info", lasts=MOMENT_MS),
    "1.3.6.1.4.1.8072.4.0.2": Notification("nsNotifyShutdown", "warning", lasts=MOMENT_MS),
    "1.3.6.1.4.1.8072.4.0.3": Notification("nsNotifyRestart", "info", lasts=MOMENT_MS),
}

_IF, _IFX, _BGP, _ALARM = f"{_MIB_2}.2.2.1", f"{_MIB_2}.31.1.1.1", f"{_MIB_2}.15.3.1", f"{_MIB_2}.16.3.1.1"
_UPS, _MTE, _OSPF = f"{_MIB_2}.33.1", f"{_MIB_2}.88.2.1", f"{_MIB_2}.14"

VARIABLES = {
    f"{_MIB_2}.1.1": "sysDescr", f"{_MIB_2}.1.2": "sysObjectID", f"{_MIB_2}.1.3": "sysUpTime",
    f"{_MIB_2}.1.4": "sysContact", f"{_MIB_2}.1.5": "sysName", f"{_MIB_2}.1.6": "sysLocation",
    "1.3.6.1.6.3.1.1.4.1": "snmpTrapOID", "1.3.6.1.6.3.1.1.4.3": "snmpTrapEnterprise",
    "1.3.6.1.6.3.18.1.3": "snmpTrapAddress", "1.3.6.1.6.3.18.1.4": "snmpTrapCommunity",
    f"{_IF}.1": "ifIndex", f"{_IF}.2": "ifDescr", f"{_IF}.3": "ifType", f"{_IF}.4": "ifMtu",
    f"{_IF}.5": "ifSpeed", f"{_IF}.6": "ifPhysAddress", f"{_IF}.7": "ifAdminStatus",
    f"{_IF}.8": "ifOperStatus", f"{_IF}.9": "ifLastChange",
    f"{_IFX}.1": "ifName", f"{_IFX}.15": "ifHighSpeed", f"{_IFX}.18": "ifAlias",
    "1.3.6.1.4.1.9.2.2.1.1.20": "locIfReason",
    f"{_BGP}.1": "bgpPeerIdentifier", f"{_BGP}.2": "bgpPeerState", f"{_BGP}.7": "bgpPeerRemoteAddr",
    f"{_BGP}.9": "bgpPeerRemoteAs", f"{_BGP}.14": "bgpPeerLastError",
    f"{_OSPF}.1.1": "ospfRouterId", f"{_OSPF}.10.1.1": "ospfNbrIpAddr", f"{_OSPF}.10.1.3": "ospfNbrRtrId",
    f"{_OSPF}.10.1.6": "ospfNbrState", f"{_OSPF}.7.1.12": "ospfIfState",
    f"{_ALARM}.1": "alarmIndex", f"{_ALARM}.3": "alarmVariable", f"{_ALARM}.4": "alarmSampleType",
    f"{_ALARM}.5": "alarmValue", f"{_ALARM}.7": "alarmRisingThreshold",
    f"{_ALARM}.8": "alarmFallingThreshold",
    f"{_UPS}.2.3": "upsEstimatedMinutesRemaining", f"{_UPS}.2.2": "upsSecondsOnBattery",
    f"{_UPS}.9.6": "upsConfigLowBattTime", f"{_UPS}.6.2.1.1": "upsAlarmId", f"{_UPS}.6.2.1.2": "upsAlarmDescr",
    f"{_MTE}.1": "mteHotTrigger", f"{_MTE}.2": "mteHotTargetName", f"{_MTE}.3": "mteHotContextName",
    f"{_MTE}.4": "mteHotOID", f"{_MTE}.5": "mteHotValue", f"{_MTE}.6": "mteFailedReason",
    f"{_MIB_2}.68.1.3.1.4": "vrrpOperMasterIpAddr",
    "1.3.6.1.4.1.9.9.43.1.1.6.1.3": "ccmHistoryEventCommandSource",
}  # fmt: skip

_STATES = ("up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown")
#: words for the numbers of a variable, from 1
_WORDS = {
    "ifAdminStatus": _STATES[:3], "ifOperStatus": _STATES,
    "bgpPeerState": ("idle", "connect", "active", "opensent", "openconfirm", "established"),
    "ospfNbrState": ("down", "attempt", "init", "twoWay", "exchangeStart", "exchange", "loading", "full"),
}  # fmt: skip


def notification(oid: str) -> Notification:
    """What a notification means; one that is not known is called by its OID. A trap of SNMPv1 has a 0 before its number
    that not every MIB of its time knew of.

    >>> notification("1.3.6.1.6.3.1.1.5.3").name, notification("1.3.6.1.2.1.15.7.0.2").name
    ('linkDown', 'bgpBackwardTransition')
    """
    enterprise, _, number = oid.rpartition(".")
    known = NOTIFICATIONS.get(oid) or NOTIFICATIONS.get(f"{enterprise.removesuffix('.0')}.{number}")
    return known or Notification(oid, "warning", lasts=UNKNOWN_MS)


def variable(oid: str) -> tuple[str, str]:
    """The name of a variable and its instance; the name is "" when it is not known.

    >>> variable("1.3.6.1.2.1.2.2.1.2.7"), variable("1.3.6.1.4.1.99999.1")
    (('ifDescr', '7'), ('', '1.3.6.1.4.1.99999.1'))
    """
    parts = oid.split(".")
    for end in range(len(parts) - 1, 5, -1):
        if name := VARIABLES.get(".".join(parts[:end])):
            return name, ".".join(parts[end:])
    return "", oid


def in_words(name: str, value: str) -> str:
    """A number as its variable's MIB calls it, else as it is.

    >>> in_words("ifOperStatus", "2"), in_words("ifIndex", "2")
    ('down', '2')
    """
    words = _WORDS.get(name, ())
    return words[int(value) - 1] if value.isdigit() and 0 < int(value) <= len(words) else value
