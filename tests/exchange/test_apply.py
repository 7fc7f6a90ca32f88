"""Configuration as code: real commands on a folder of documents, and the API of a running platform."""

from __future__ import annotations

import json
import signal
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.test import Client

from tests.exchange.test_command_line import run
from tests.platform import COMMAND, Platform
from tests.support import eventually
from watchkeeper.exchange.documents import Fault, Faulty, read

TWELVE = {
    "places/racks.yaml": """
        kind: racks
        name: rack a
        spec: {site: hall 4, serial: R-1, tags: [pci], custom_fields: {row: 4}}
        ---
        kind: sites
        name: hall 4
        ---
        kind: custom-fields
        spec: {kind: racks, name: row, type: whole}
        """,
    "devices.yml": """
        kind: devices
        name: db-1
        spec:
          rack: rack a
          asset_tag: A-7
          device_type: {manufacturer: Acme, model: 4 core}
        ---
        kind: device-types
        spec: {manufacturer: Acme, model: 4 core}
        ---
        kind: manufacturers
        name: Acme
        """,
    "people.yaml": """
        kind: teams
        name: network
        ---
        kind: organisations
        name: Example
        ---
        kind: tags
        name: pci
        spec: {color: "#aa0000", description: card data}
        """,
    "doors.yaml": """
        kind: intake-keys
        name: edge
        ---
        kind: mqtt-subscriptions
        name: house
        spec:
          host: broker.example.org
          topics: ["house/#"]
          user: house
          password: {env: MQTT_PASSWORD}
        ---
        kind: vrfs
        name: customers
        """,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A data folder that no server runs on."""
    return Platform(
        tmp_path_factory.mktemp("applied") / "var",
        env={"MQTT_PASSWORD": "a-secret", "WATCHKEEPER_OUTBOUND_ALLOW": "0.0.0.0/0"},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve kinds as files; the set has the folder's name."""
    root = tmp_path_factory.mktemp("files") / "estate"
    for name, text in TWELVE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def acts(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [c["act"] for c in told(done)["changes"]]


def test_twelve_kinds_from_nothing_drift_and_prune(home: Platform, folder: Path) -> None:
    files = ("-f", str(folder))
    dry = run(home, "apply", *files, "--dry-run", "--json")
    assert acts(dry) == ["create"] * 12 and told(dry)["set"] == "estate", dry.stderr
    assert json.loads(home.run("get", "sites", "--json")) == [], "a dry run leaves nothing"
    made = run(home, "apply", *files, "--json")
    assert acts(made) == ["create"] * 12 and "a-secret" not in made.stdout
    [mqtt] = [c for c in told(made)["changes"] if c["kind"] == "mqtt-subscriptions"]
    assert mqtt["values"]["password"] == [None, "••••"]
    again = run(home, "apply", *files, "--json")
    assert acts(again) == ["unchanged"] * 12
    audited = home.run("get", "audit", "--all", "--json")
    assert run(home, "diff", *files).returncode == 0
    assert home.run("get", "audit", "--all", "--json") == audited, "what changes nothing leaves no trace"

    home.run("edit", "racks", "rack a", "serial=R-9")
    drift = run(home, "diff", *files)
    assert drift.returncode == 2 and 'serial: "R-9" → "R-1"' in drift.stdout
    assert "changed by hand" in drift.stdout and "~ racks rack a" in drift.stdout
    home.env["MQTT_PASSWORD"] = "another"
    rotated = told(run(home, "apply", *files, "--json"))
    assert {c["kind"]: list(c["values"]) for c in rotated["changes"] if c["act"] == "change"} == {
        "racks": ["serial"],
        "mqtt-subscriptions": ["password"],
    }

    (folder / "devices.yml").unlink()
    left = run(home, "diff", *files, "--json")
    assert left.returncode == 2
    assert told(left)["undeclared"] == ["devices db-1", "device-types Acme 4 core", "manufacturers Acme"]
    home.run("create", "device", "name=by hand")
    pruned = run(home, "apply", *files, "--prune")
    assert "- devices db-1" in pruned.stdout, pruned.stderr
    assert [d["name"] for d in json.loads(home.run("get", "devices", "--json"))] == ["by hand"]
    assert run(home, "diff", *files).returncode == 0


def test_another_set_has_it(home: Platform) -> None:
    text = "kind: vlans\nname: office\nspec: {vid: 10}\n"
    assert run(home, "apply", "-f", "-", "--as", "one", given=text).returncode == 0
    other = run(home, "apply", "-f", "-", "--as", "two", given=text)
    assert other.returncode == 1 and "the set 'one' manages it" in other.stderr
    assert run(home, "apply", "-f", "-", "--as", "two", "--take-over", given=text).returncode == 0
    assert told(run(home, "apply", "-f", "-", "--as", "one", "--json", given=""))["undeclared"] == []


WRONG: list[tuple[str, str]] = [
    ("kind: rakcs\nname: a\n", "standard input, document 1, line 1: kind: there is no kind 'rakcs'"),
    ("kind: sites\nname: a\n---\nkind: racks\nname: b\nspec:\n  site: nowhere\n",
     "document 2, line 7: site: there is no site with the id or the name 'nowhere'"),
    ("kind: racks\nname: b\nspec:\n  site: hall 4\n  serail: x\n", "line 5: serail: racks have no such field"),
    ("kind: sites\nname: a\nkind: sites\n", "line 3: kind: is there twice"),
    ("kind: sites\nname: a\nspec: {tags: &t [x], links: *t}\n", "aliases are not taken"),
    ("kind: sites\nname: [a\n", "YAML: "),
    ("kind: sites\nnmae: a\n", "nmae: is not known here"),
    ("kind: sites\nname: twin\n---\nkind: sites\nname: twin\n", "document 2, line 5: name: is declared already"),
    ("kind: regions\nname: a\nspec: {parent: b}\n---\nkind: regions\nname: b\nspec: {parent: a}\n", "in a circle"),
    ("kind: silences\nspec: {comment: x}\n", "kind: silences cannot be declared"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_what_is_wrong_is_said_with_its_place(api: Callable[..., Client], text: str, said: str) -> None:
    body = {"set": "wrong", "files": {"standard input": text}}
    answer = api("admin").post("/api/apply/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert any(said in str(Fault(**e)) for e in answer.json()["errors"]), answer.json()
    assert "nothing was changed" in answer.json()["detail"]


def test_a_secret_that_is_not_there_is_named(home: Platform) -> None:
    text = "kind: mqtt-subscriptions\nname: x\nspec: {host: b.example.org, topics: [a], password: {env: NOT_SET}}\n"
    done = run(home, "apply", "-f", "-", given=text)
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 3: password: the variable NOT_SET is not set" in done.stderr
    assert "nothing was changed" in done.stderr


def test_a_secret_that_is_not_set_is_not_exported(tmp_path: Path) -> None:
    home = Platform(tmp_path / "var", env={"HEARTBEATS_OUTSIDE_URL": "https://hc-ping.com/6e1a"})
    home.run("create", "heartbeats", "name=outside", "url=https://hc-ping.com/6e1a")
    text = home.run("export", "heartbeats", "--as-code")
    assert "url:\n    env: HEARTBEATS_OUTSIDE_URL" in text and "fail_url" not in text
    done = run(home, "apply", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr


def test_too_much_and_too_deep_is_refused() -> None:
    with pytest.raises(Faulty, match="more than"):
        read({"a.yaml": b"#" * (5 * 1024 * 1024)})
    with pytest.raises(Faulty, match="more than"):
        read({"a.yaml": b"---\nkind: sites\n" * 2001})
    with pytest.raises(Faulty):
        read({"a.yaml": b"kind: sites\nspec: " + b"[" * 20_000})


def test_what_is_exported_and_applied_elsewhere_is_the_same(home: Platform, tmp_path: Path) -> None:
    home.env["MQTT_SUBSCRIPTIONS_HOUSE_PASSWORD"] = "a-secret"
    home.run("create", "region", "name=north")
    home.run("create", "site", "name=hall 5")
    for site in ("hall 4", "hall 5"):
        home.run("create", "rack", "name=twin", f"site={site}")
    text = home.run("export", "all", "--as-code")
    assert text.count("name: twin\nmatch:\n- site\n- name\n") == 2
    assert "password:\n    env: MQTT_SUBSCRIPTIONS_HOUSE_PASSWORD" in text
    elsewhere = Platform(tmp_path / "var", env=home.env)
    done = run(elsewhere, "apply", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr
    assert elsewhere.run("export", "all", "--as-code") == text
    assert run(elsewhere, "diff", "-f", "-", given=text).returncode == 0
    assert (
        home.run("export", "sites", "--as-code")
        == "---\nkind: sites\nname: hall 4\n---\nkind: sites\nname: hall 5"
    )


def test_killed_in_the_middle_nothing_is_applied(home: Platform, tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    padding = "y" * 1900
    file.write_text(
        "".join(
            f"---\nkind: items\nname: kill-{n}\nspec: {{kind: vm, attributes: {{x: {padding}{n}}}}}\n"
            for n in range(1900)
        )
    )
    audited = home.run("get", "audit", "--all", "--json")
    process = subprocess.Popen(
        [COMMAND, "apply", "-f", str(file)], env=home.environment | {"PYTHONUNBUFFERED": "1"}
    )
    eventually(lambda: process.poll() is not None or busy(process.pid), 100, 0.01)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads(home.run("get", "items", "--search", "kill-", "--json")) == []
    assert home.run("get", "audit", "--all", "--json") == audited


def busy(pid: int) -> bool:
    """The process has used so much of a processor that it is among its documents."""
    return psutil.Process(pid).cpu_times().user > 5


def test_over_http(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        body = {"set": "shop", "files": {"a.yaml": "kind: sites\nname: hall\n"}, "dry_run": True}
        first = platform.do("/api/apply/", body).json()
        assert (first["applied"], first["differs"]) == (False, True)
        assert platform.get("/api/sites/")["count"] == 0
        done = platform.do("/api/apply/", {**body, "dry_run": False}).json()
        assert [c["act"] for c in done["changes"]] == ["create"]
        assert platform.do("/api/apply/", body).json()["differs"] is False
        stolen = "kind: mqtt-subscriptions\nname: x\nspec: {password: {env: PATH}}\n"
        refused = platform.do("/api/apply/", {**body, "files": {"b.yaml": stolen}})
        assert refused.status == 400
        [error] = refused.json()["errors"]
        assert (error["file"], error["line"], error["field"]) == ("b.yaml", 3, "password")
        reader = platform.run("token", "create", "reader", "--scope", "read").split()[-1]
        more = json.dumps(
            {**body, "dry_run": False, "files": {"a.yaml": "kind: sites\nname: other\n"}}
        ).encode()
        headers = {"Authorization": f"Bearer {reader}", "Content_Type": "application/json"}
        forbidden = platform.call("POST", "/api/apply/", more, **headers)
        assert forbidden.status == 400 and "you may not" in forbidden.json()["detail"]
        assert platform.get("/api/sites/")["count"] == 1
        assert platform.stop() == 0
