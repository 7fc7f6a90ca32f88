"""Scrape jobs and probes on a running platform: from the record to samples, alerts and the pages, over kill -9."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform
from tests.pollers.polled_servers import Page, node_exporter, text
from tests.support import eventually, free_port, require


@pytest.fixture(scope="module")
def polling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("polling") / "var").start() as started:
        yield started
        assert started.stop() == 0


def made(platform: Platform, path: str, **fields: Any) -> str:
    answer = platform.do(f"/api/{path}/", {"interval": 1, "timeout": 1, **fields})
    assert answer.status == 201, answer.body
    return f"/api/{path}/{answer.json()['id']}/"


def alerts(platform: Platform, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.get(f"/api/alerts/?search={name.replace(' ', '+')}")["results"]
    return found


def one(platform: Platform, name: str, status: str) -> dict[str, Any]:
    """The alert, once it has this status."""

    def there() -> dict[str, Any] | None:
        return next((a for a in alerts(platform, name) if a["status"] == status), None)

    return eventually(there, 30)  # type: ignore[return-value]


def values(platform: Platform, name: str, label: str, value: str) -> list[float]:
    """The samples of a series in telemetry."""
    store = platform.telemetry()
    try:
        rows = store.query(
            "SELECT value FROM samples WHERE series IN (SELECT id FROM series WHERE name = {name:String} AND "
            "labels[{label:String}] = {value:String}) ORDER BY time",
            {"name": name, "label": label, "value": value},
        )
        found: list[float] = rows.column("value").to_pylist()
        return found
    finally:
        store.close()


def test_nothing_polls_while_nothing_is_to_be_polled(polling: Platform) -> None:
    assert set(polling.processes()) == {"receive", "analyse", "web"}


def test_a_probe_that_fails_is_an_alert_and_over_when_it_succeeds(polling: Platform) -> None:
    page = Page(text(b"broken", status=503))
    record = made(
        polling, "probes", name="shop", kind="http", targets=[f"http://{page.address}/"], failures=3
    )
    alert = one(polling, "Probe failed", "firing")
    assert alert["summary"] == f"http://{page.address}/ answers 503 instead of 200, third time in a row"
    assert alert["severity"] == "critical"
    page.say = text(b"fine")
    assert one(polling, "Probe failed", "resolved")["id"] == alert["id"]
    assert eventually(lambda: 1.0 in values(polling, "probe_success", "probe", "shop"))
    assert polling.do(record, method="DELETE").status == 204
    page.stop()


def test_a_killed_polling_process_ends_what_it_had_told(polling: Platform) -> None:
    with node_exporter() as address:
        record = made(polling, "scrape-jobs", name="dying", targets=[address])
        assert eventually(lambda: values(polling, "node_load1", "job", "dying"), 30)
        assert values(polling, "up", "job", "dying")[0] == 1.0
    assert one(polling, "Scrape target down", "firing")["summary"].startswith(
        f"{address} refuses the connection"
    )
    polling.processes()["poll"].kill()
    assert polling.do(record, method="DELETE").status == 204
    assert one(polling, "Scrape target down", "resolved")["firings"] == 1
    assert len(alerts(polling, "Scrape target down")) == 1


def now(url: str, query: str) -> dict[str, str]:
    """Name and label `which` → the value that an API of Prometheus gives."""
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}") as answer:
        found = json.load(answer)["data"]["result"]
    return {
        f"{s['metric'].get('__name__')} {s['metric'].get('which', '')}".strip(): s["value"][1] for s in found
    }


def test_series_end_when_and_as_they_do_with_prometheus(polling: Platform, tmp_path: Path) -> None:
    """One goes, then comes again, then the target is down, then it is scraped no longer: `which` tells them apart."""
    require(shutil.which("prometheus"), "there is no prometheus")
    both, one_of_them = b'a{which="1"} 1\na{which="2"} 2\nold{which="3"} 3 %d\n', b'a{which="1"} 1\n'
    both %= round(time.time() * 1000)
    page = Page(text(both))
    record = made(polling, "scrape-jobs", name="ending", targets=[page.address])
    config, own = tmp_path / "p.yml", f"127.0.0.1:{free_port()}"
    jobs = [{"job_name": "ending", "static_configs": [{"targets": [page.address]}]}]
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    theirs = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address={own}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    query = '{job="ending",__name__=~"a|old|up"}'

    def ours() -> dict[str, str]:
        answer = polling.get(f"/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return {f"{s['metric']['__name__']} {s['metric'].get('which', '')}".strip(): s["value"][1]
                for s in answer["data"]["result"]}  # fmt: skip

    def prometheus() -> dict[str, str]:
        try:
            return now(f"http://{own}", query)
        except OSError:
            return {}

    all_of_it = {"a 1": "1", "a 2": "2", "old 3": "3", "up": "1"}
    less = {"a 1": "1", "old 3": "3", "up": "1"}  # what has a time of its own does not end
    try:
        for say, wanted in ((text(both), all_of_it), (text(one_of_them), less), (text(both), all_of_it),
                            (text(b"", status=500), {"old 3": "3", "up": "0"})):  # fmt: skip
            page.say = say
            assert eventually(lambda wanted=wanted: ours() == wanted, 60), (ours(), wanted)
            assert eventually(lambda wanted=wanted: prometheus() == wanted, 60), (prometheus(), wanted)
        assert polling.do(record, method="DELETE").status == 204
        assert eventually(lambda: ours() == {"old 3": "3"}, 60), ours()
    finally:
        theirs.terminate()
        theirs.wait(20)
        page.stop()


def test_rules_ask_about_items_and_choose_among_their_samples(polling: Platform) -> None:
    page = Page(text(b"kept 1\nleft_out 2\n"))
    assert polling.do("/api/custom-fields/", {"kind": "devices", "name": "team"}).status == 201
    for number, team in enumerate(("web", "data")):
        device = {"name": f"rule{number}", "tags": ["ruled", "linux"], "custom_fields": {"team": team},
                  "identifiers": [{"scheme": "address", "value": f"127.0.0.{2 + number}"}]}  # fmt: skip
        assert (answer := polling.do("/api/devices/", device)).status == 201, answer.body
    target = f"127.0.0.1:{page.port}"
    rules = f"""
    - {{source_labels: [__meta_watchkeeper_item_tags, __meta_watchkeeper_item_kind],
       regex: ".*,linux,.*;devices", action: keep}}
    - {{source_labels: [__meta_watchkeeper_item_field_team], regex: data, action: drop}}
    - {{source_labels: [__meta_watchkeeper_item_name], target_label: instance}}
    - {{regex: "__meta_watchkeeper_item_field_(.+)", action: labelmap}}
    - {{target_label: __address__, replacement: "{target}"}}
    """
    record = made(polling, "scrape-jobs", name="ruled", item_tag="ruled", item_target="{address}:1", relabel_configs=rules,
                  metric_relabel_configs="- {source_labels: [__name__], regex: left_.*, action: drop}")  # fmt: skip
    assert eventually(lambda: values(polling, "kept", "instance", "rule0"), 60)[0] == 1.0
    assert values(polling, "kept", "team", "web")
    assert not values(polling, "left_out", "job", "ruled") and not values(polling, "up", "instance", "rule1")
    standing = json.loads((polling.data / "polling.json").read_bytes())
    assert standing["left_out"] == {record.split("/")[-2]: 1}
    assert polling.do(record, method="DELETE").status == 204
    page.stop()


def test_items_of_the_inventory_are_polled_as_they_come(polling: Platform, tmp_path: Path) -> None:
    page, second = Page(text(b"a_total 1\n")), Page(text(b"a_total 2\n"))
    found = tmp_path / "targets.json"
    found.write_text("[]")
    made(polling, "scrape-jobs", name="found", item_kind="devices", item_target=f"{{address}}:{page.port}",
         files=[str(found)])  # fmt: skip
    device = {
        "name": "edge1",
        "identifiers": [
            {"scheme": "address", "value": "127.0.0.1"},
            {"scheme": "hostname", "value": "edge1"},
        ],
    }
    answer = polling.do("/api/devices/", device)
    assert answer.status == 201, answer.body
    found.write_text(json.dumps([{"targets": [second.address], "labels": {"room": "2"}}]))
    assert eventually(lambda: values(polling, "a_total", "host_name", "edge1"), 40)[0] == 1.0
    assert eventually(lambda: values(polling, "a_total", "room", "2"), 20)[0] == 2.0
    page.stop()
    second.stop()
