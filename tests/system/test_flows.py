"""Flows become relations of known devices, and these stay when the platform is killed and starts again."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from tests.platform import Platform
from tests.receivers.netflow_datagrams import Told, a_set, ipfix, record, template, v5
from tests.support import eventually, free_port


def known(platform: Platform, name: str, address: str) -> str:
    """The id of a device that is recorded with this address."""
    made = platform.do(
        "/api/items/",
        {"kind": "host", "name": name, "identifiers": [{"scheme": "address", "value": address}]},
    )
    assert made.status == 201, made.body
    return str(made.json()["id"])


def recorded(platform: Platform, name: str, address: str) -> None:
    """A machine with an interface that has this address, as people record it."""
    machine = platform.do("/api/virtual-machines/", {"name": name}).json()
    port = platform.do("/api/interfaces/", {"owner": machine["id"], "label": "ens3"}).json()
    made = platform.do("/api/addresses/", {"address": f"{address}/24", "assigned_to": port["id"]})
    assert made.status == 201, made.body


def relations(platform: Platform, source: str) -> dict[str, dict[str, Any]]:
    """What this item depends on, by the other's name."""
    found = platform.get(f"/api/relations/?source={source}&kind=depends_on")["results"]
    return {r["target_name"]: r for r in found}


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for data in datagrams:
            s.sendto(data, ("127.0.0.1", port))


def test_two_devices_get_a_relation_out_of_flows(tmp_path: Path) -> None:
    port = free_port()
    with Platform(tmp_path / "var", {"WATCHKEEPER_NETFLOW": f"127.0.0.1:{port}"}).start() as platform:
        assert platform.key, "one that names no networks admits this machine"
        desk, db = known(platform, "desk-7", "10.77.0.1"), known(platform, "ledger-db", "10.77.0.2")
        stranger = Told("198.51.100.9", 50_000, "10.77.0.2", 5432)
        send(port, v5(Told("10.77.0.1", 40_000, "10.77.0.2", 5432), stranger))
        found = eventually(lambda: relations(platform, desk), 40, 0.5)["ledger-db"]
        assert (found["target"], found["origin"], found["observed"]) == (db, "netflow", True)
        assert not platform.get("/api/items/?search=198.51.100.9")["results"]
        platform.kill_all()

        platform.start()
        assert set(relations(platform, desk)) == {"ledger-db"}
        back = record(Told("10.77.0.2", 41_000, "10.77.0.3", 514, protocol=17, flags=0))
        recorded(platform, "log-sink", "10.77.0.3")
        send(port, ipfix(a_set(2, template(256)), a_set(256, back)))
        eventually(lambda: "log-sink" in relations(platform, db), 40, 0.5)
        assert set(relations(platform, desk)) == {"ledger-db"}
        assert platform.stop() == 0
