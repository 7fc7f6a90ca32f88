"""The command line on records, as a real process: without a server, and beside one."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.platform import COMMAND, Platform
from tests.support import eventually


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A data folder that no server runs on."""
    return Platform(tmp_path_factory.mktemp("records") / "var")


def run(home: Platform, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words], env=home.environment, input=given, capture_output=True, text=True, timeout=120
    )


def items(home: Platform, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(home.run("get", "items", "--all", "--json", *words))
    return found


def test_a_record_from_its_making_to_its_end(home: Platform) -> None:
    made = json.loads(
        home.run("create", "item", "name=db-1", "kind=server", 'attributes={"rack": "a"}', "--json")
    )
    assert made["attributes"] == {"rack": "a"} and made["confirmed"] is True
    home.run("create", "items", "name=db-2", "kind=server")
    home.run("create", "relation", "source=db-1", "kind=depends_on", "target=db-2")
    table = home.run("get", "items", "--filter", "name__icontains=db-", "--order", "-kind,name")
    assert table.splitlines()[0].split()[:3] == ["Id", "Name", "Kind"]
    assert made["id"] in table and "db-2" in table
    assert "db-1" in home.run("get", "items", "--search", "db-1", "--csv").splitlines()[1]
    changed = run(home, "edit", "items", made["id"], "name=db-one", "attributes={}")
    assert changed.returncode == 0 and "db-one" in changed.stdout
    shown = json.loads(home.run("show", "item", made["id"], "--json"))
    assert (shown["name"], shown["attributes"]) == ("db-one", {})
    assert "so already" in run(home, "edit", "items", made["id"], "name=db-one").stderr
    assert run(home, "delete", "items", made["id"], given="n\n").returncode == 1
    assert len(items(home)) == 2
    assert json.loads(home.run("show", "item", "db-one", "--json"))["id"] == made["id"], "by name as well"
    home.run("edit", "items", "db-one", "kind=host")
    home.run("create", "items", "name=db-2", "kind=host")
    two = run(home, "show", "items", "db-2")
    assert two.returncode == 1 and "2 records are called 'db-2'" in two.stderr
    home.run(
        "delete", "items", items(home, "--filter", "kind=host", "--filter", "name=db-2")[0]["id"], "--yes"
    )
    home.run("delete", "items", "db-one", "--yes")
    assert [i["name"] for i in items(home)] == ["db-2"]
    audit = json.loads(home.run("get", "audit", "--filter", f"record={made['id']}", "--json"))
    assert [a["act"] for a in audit] == ["item.remove", "item.change", "item.change", "item.create"]
    assert {a["actor_kind"] for a in audit} == {"command"}


def test_a_name_that_only_one_has_is_as_good_as_an_id(home: Platform) -> None:
    home.run("create", "device", "name=by-name-1")
    for _ in range(2):
        home.run("create", "site", "name=by-name-2")
    assert "by-name-1" in home.run("show", "device", "by-name-1")
    home.run("edit", "device", "by-name-1", "asset_tag=A-7")
    assert "failed" in home.run("do", "device", "fail", "by-name-1")
    assert "2 records are called 'by-name-2'" in run(home, "show", "site", "by-name-2").stderr
    assert run(home, "delete", "sites", "by-name-2", "--yes").returncode == 1
    home.run("delete", "devices", "by-name-1", "--yes")
    gone = run(home, "show", "device", "by-name-1")
    assert gone.returncode == 1 and "there is no device with the id or the name 'by-name-1'" in gone.stderr


def test_lists_by_tag_and_custom_field_in_chosen_columns(home: Platform) -> None:
    home.run("create", "custom-field", "kind=racks", "name=row", "type=whole")
    home.run("create", "site", "name=hall 4")
    rack = ("create", "rack", "site=hall 4")
    home.run(*rack, "name=rack a", "serial=R-1", 'custom_fields={"row": 4}', "tags=pci")
    home.run(*rack, "name=rack b", "serial=R-2", 'custom_fields={"row": 5}')
    home.run("create", "device", "name=in a", "rack=rack a")
    found = json.loads(home.run("get", "racks", "--filter", "cf_row__gte=5", "--json"))
    assert [r["name"] for r in found] == ["rack b"]
    assert [r["name"] for r in json.loads(home.run("get", "racks", "-f", "tag=pci", "--json"))] == ["rack a"]
    shown = home.run("get", "devices", "--search", "in a", "--columns", "name,rack__serial")
    assert [line.split()[-1] for line in shown.splitlines()] == ["serial", "R-1"]
    wrong = run(home, "get", "devices", "--columns", "colour")
    assert wrong.returncode == 1 and "'colour' is no column of devices" in wrong.stderr
    assert "is not a filter" in run(home, "get", "racks", "--filter", "limit=3").stderr


def test_a_view_and_a_template_by_name(home: Platform, tmp_path: Path) -> None:
    rows = [{"name": n, "kind": n.partition("-")[0]} for n in ("shelf-b", "shelf-a", "box-a")]
    made = run(home, "create", "items", "--file", "-", given=json.dumps(rows))
    assert made.returncode == 0, made.stderr
    home.run("create", "saved-view", "kind=items", "name=shelves", "sharing=everyone", "ordering=-name",
             'filters={"kind": "shelf"}', 'columns=["name", "kind"]')  # fmt: skip
    lines = home.run("get", "items", "--view", "shelves").splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["Name", "Kind"],
        ["shelf-b", "shelf"],
        ["shelf-a", "shelf"],
    ]
    home.run("create", "export-template", "kind=items", "name=names", "file_name=names.txt",
             "text={% for r in records %}{{ r.name }};{% endfor %}")  # fmt: skip
    words = ("--view", "shelves", "--filter", "name=shelf-a", "--template", "names")
    home.run("export", "items", *words, "-o", str(tmp_path / "names.txt"))
    assert (tmp_path / "names.txt").read_text() == "shelf-a;"
    wrong = run(home, "get", "items", "--view", "none")
    assert (wrong.returncode, "there is no view 'none'" in wrong.stderr) == (1, True)


WRONG: list[tuple[list[str], int, str]] = [
    (["get", "itms"], 2, "items"),
    (["get", "items", "--filter", "colour=red"], 1, "'colour' is not a filter here; there are: cf_NAME, declared"),
    (["get", "items", "--order", "colour"], 1, "cannot order by 'colour'"),
    (["create", "device", "name=a", "role=toaster"], 1, 'role: "toaster" is not one of: server, router,'),
    (["show", "items", "nowhere"], 1, "there is no item with the id or the name 'nowhere'"),
    (["create", "items", "nmae=a", "kind=vm"], 1, "nmae: items have no such field; is it 'name'?"),
    (["create", "items", "name=a"], 1, "kind: This field is required."),
    (["create", "items", "name=a", "kind=vm", "source=me"], 1, "source: it follows from others"),
    (["delete", "alerts", "a", "--yes"], 1, "alerts cannot be deleted"),
    (["create", "silences", 'matchers=[{"name": "a", "value": "b"}]', "ends_at=2100-01-01T00:00:00Z"], 1,
     "silences go through the running server; start it with `watchkeeper serve`"),
    (["import", "items", "nowhere.csv"], 2, "nowhere.csv: No such file"),
]  # fmt: skip


def test_what_is_wrong_is_said(home: Platform) -> None:
    """On standard error, with 1, or 2 for what is wrong about the command itself; and nothing has happened."""
    before = items(home)
    for words, status, said in WRONG:
        done = run(home, *words)
        assert (done.returncode, done.stdout) == (status, ""), words
        assert said in " ".join(done.stderr.replace("│", " ").split()), words
    assert items(home) == before


def test_secrets_are_shown_once(home: Platform) -> None:
    done = run(home, "create", "tokens", "name=grafana", "scope=read", "--json")
    assert "secret, shown this once: wkt_" in done.stderr and json.loads(done.stdout)["name"] == "grafana"


def test_files_there_and_back(home: Platform, tmp_path: Path) -> None:
    """Also through pipes; an export is whole or not there."""
    rows = [{"name": f"n{n}", "kind": "vm"} for n in range(3)]
    done = run(home, "create", "items", "--file", "-", "--json", given=json.dumps(rows))
    assert len(json.loads(done.stdout)) == 3
    for form in ("csv", "json", "yaml"):
        file = tmp_path / f"items.{form}"
        home.run("export", "items", "--filter", "kind=vm", "-o", str(file))
        told = json.loads(home.run("import", "items", str(file), "--json"))
        assert (told["unchanged"], told["created"], told["changed"]) == (3, 0, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["items.csv", "items.json", "items.yaml"]
    edited = (tmp_path / "items.csv").read_text().replace(",n1,", ",n-one,")
    dry = run(home, "import", "items", "-", "--format", "csv", "--dry-run", given=edited)
    assert "to change: 1" in dry.stdout and 'name: "n1" → "n-one"' in dry.stdout
    assert run(home, "import", "items", "-", "--format", "csv", given=edited).returncode == 0
    assert {i["name"] for i in items(home, "-f", "kind=vm")} == {"n0", "n-one", "n2"}
    assert home.run("export", "items", "-f", "kind=vm", "--format", "yaml").count("kind: vm") == 3


def test_one_bad_row_and_nothing_is_imported(home: Platform, tmp_path: Path) -> None:
    before = items(home)
    rows = [{"name": f"bulk-{n}", "kind": "vm"} for n in range(1000)]
    rows[899]["kind"] = ""
    file = tmp_path / "bulk.json"
    file.write_text(json.dumps(rows))
    done = run(home, "import", "items", str(file))
    assert done.returncode == 1
    assert (
        "row 900: kind: This field may not be blank." in done.stderr and "nothing was imported" in done.stderr
    )
    assert items(home) == before


def test_killed_in_the_middle_nothing_is_imported(home: Platform, tmp_path: Path) -> None:
    """kill -9 while it writes: when the write-ahead log has grown by what a part of the rows needs."""
    before, audited = items(home), home.run("get", "audit", "--all", "--json")
    file = tmp_path / "many.json"
    file.write_text(
        json.dumps(
            [{"name": f"kill-{n}", "kind": "vm", "attributes": {"x": "y" * 4000}} for n in range(20_000)]
        )
    )
    log = home.data / "records.db-wal"
    process = subprocess.Popen([COMMAND, "import", "items", str(file)], env=home.environment)
    # SQLite spills what does not fit its cache (32 MiB) into the log long before it commits.
    eventually(
        lambda: process.poll() is not None or (log.exists() and log.stat().st_size > 2_000_000), 100, 0.01
    )
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert items(home) == before
    assert home.run("get", "audit", "--all", "--json") == audited


def test_beside_a_running_server(tmp_path: Path) -> None:
    """What the command does is in the API at once, analysis hears of it, and acts go through the journal."""
    with Platform(tmp_path / "var").start() as platform:
        made = json.loads(platform.run("create", "items", "name=lone", "kind=server", "--json",
                                       'identifiers=[{"scheme": "hostname", "value": "lone"}]'))  # fmt: skip
        assert platform.get(f"/api/items/{made['id']}/")["name"] == "lone"
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        matcher = '[{"name": "alertname", "value": "Quiet"}]'
        platform.run("create", "silence", f"matchers={matcher}", f"ends_at={ends}", "comment=by hand")
        eventually(lambda: platform.get("/api/silences/")["count"] == 1)
        file = tmp_path / "more.csv"
        file.write_text("name,kind\n" + "".join(f"more-{n},vm\n" for n in range(50)))
        platform.run("import", "items", str(file))
        assert platform.get("/api/items/?search=more-")["count"] == 50
        alert = {"labels": {"alertname": "Loud", "instance": "lone", "severity": "critical"}}
        assert platform.alerts(alert).status == 200
        known = eventually(lambda: platform.get("/api/alerts/?name=Loud")["results"])
        assert known[0]["item"]["id"] == made["id"], "analysis knows the item that the command has made"
        assert platform.stop() == 0
