"""Adding a host as people do it: the page's files go to the real programs exactly as they are, and the page turns green."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.hosts.conftest import ask, file
from tests.platform import Platform
from tests.pollers.polled_servers import node_exporter
from tests.receivers.remote_write_messages import packed, request
from tests.support import PATIENCE, eventually, free_port, require


@contextmanager
def running(*command: str) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def rsyslog(setup: str, folder: Path) -> Iterator[None]:
    """Debian's rsyslogd with this file as the only one in its folder, and a line that it is given."""
    local = folder / "dev-log"
    (folder / "90-watchkeeper.conf").write_text(setup)
    (folder / "rsyslog.conf").write_text(
        f'global(workDirectory="{folder}")\nmodule(load="imuxsock" SysSock.Use="off")\n'
        f'input(type="imuxsock" Socket="{local}")\ninclude(file="{folder}/90-watchkeeper.conf")\n'
    )
    with running("rsyslogd", "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/pid"):
        eventually(local.exists)
        subprocess.run(["logger", "-u", str(local), "-t", "shop", "hello from web-2"], check=True)
        yield


def line(page: Page, title: str) -> Any:
    """What the page says of a way."""
    return page.locator("#arrived li").filter(has=page.get_by_text(title, exact=True))


def test_the_first_page_leads_to_it(page: Page, platform: Platform) -> None:
    page.goto(platform.url)
    page.locator("#content").get_by_role("link", name="Add a host").click()
    expect(page.get_by_role("heading", name="Add a host", exact=True)).to_be_visible()
    warning = page.get_by_role("alert")
    port = platform.url.rpartition(":")[2]
    expect(warning).to_contain_text("Only this machine can reach Watchkeeper now")
    expect(warning).to_contain_text(f"WATCHKEEPER_LISTEN=0.0.0.0:{port}")
    expect(warning).to_contain_text(
        f"WATCHKEEPER_SYSLOG={platform.env['WATCHKEEPER_SYSLOG'].replace('127.0.0.1', '0.0.0.0')}"
    )
    keep(page, "add-host")
    assert not look(page)
    for where in ("/doors/", "/items/"):
        page.goto(platform.url + where)
        expect(page.get_by_role("link", name="Add a host")).to_have_attribute("href", "/hosts/add/")


def test_what_is_missing_is_said_at_its_box(page: Page, platform: Platform) -> None:
    ask(page, platform, "rsyslog", "prometheus", name="", address="web 2", port="99999")
    expect(page.locator("#e-name")).to_contain_text("Prometheus knows its node exporter as localhost")
    expect(page.locator("#e-address")).to_contain_text("its sender is known by its IP address")
    expect(page.locator("#e-port")).to_contain_text("1 to 65535")
    expect(page.get_by_label("Address", exact=True)).to_have_value("web 2")
    expect(page.locator('input[value="rsyslog"]')).to_be_checked()
    keep(page, "add-host-wrong")
    ask(page, platform)
    expect(page.locator("#e-ways")).to_contain_text("Choose at least one")
    assert not [k for k in platform.get("/api/intake-keys/")["results"] if k["name"] != "first"]


@pytest.mark.timeout(180)
def test_it_turns_green_when_it_sends(page: Page, platform: Platform, tmp_path: Path) -> None:
    for program in ("rsyslogd", "prometheus", "prometheus-node-exporter", "promtool"):
        require(shutil.which(program), f"{program} is not installed")
    with node_exporter() as exporter:
        ask(page, platform, "rsyslog", "prometheus", "node-exporter", name="web-2", address="127.0.0.1",
            port=exporter.rpartition(":")[2])  # fmt: skip
        expect(page.get_by_role("heading", name="Waiting for the first of it")).to_be_visible()
        expect(page).to_have_url(re.compile(r"/hosts/add/\d+/$"))
        setup, prometheus = file(page, "rsyslog"), tmp_path / "prometheus.yml"
        prometheus.write_text(file(page, "prometheus"))
        keep(page, "added-host-waiting")
        assert not look(page)
        secret = re.search(r"credentials: (\S+)", prometheus.read_text())[1]  # type: ignore[index]
        subprocess.run(["promtool", "check", "config", str(prometheus)], check=True, capture_output=True)
        page.reload()
        assert secret not in page.content()
        assert "YOUR-INTAKE-KEY" in file(page, "prometheus")

        expect(line(page, "node exporter")).to_contain_text("series", timeout=40_000 * PATIENCE)
        expect(line(page, "rsyslog")).to_contain_text("waiting")
        (tmp_path / "rsyslog").mkdir()
        command = ("prometheus", f"--config.file={prometheus}", f"--storage.tsdb.path={tmp_path}/data",
                   f"--web.listen-address=127.0.0.1:{free_port()}")  # fmt: skip
        with rsyslog(setup, tmp_path / "rsyslog"), running(*command):
            expect(line(page, "rsyslog")).to_contain_text("1 log line", timeout=40_000 * PATIENCE)
            expect(line(page, "node exporter and a Prometheus")).to_contain_text(
                "about ", timeout=60_000 * PATIENCE
            )
            expect(page.locator("#arrived h2")).to_contain_text("web-2 sends: ")
            item = page.locator("#arrived").get_by_role("link", name="web-2", exact=True)
            expect(item).to_be_visible(timeout=40_000 * PATIENCE)
        keep(page, "added-host-green")
        assert not look(page)
    item.click()
    expect(page.get_by_role("heading", name="web-2")).to_be_visible()
    page.goto(f"{platform.url}/explore/logs/?host=web-2")
    expect(page.get_by_text("hello from web-2")).to_be_visible()
    (key,) = platform.get("/api/intake-keys/?name=web-2")["results"]
    assert (key["doors"], key["networks"]) == (["alertmanager", "remote_write", "syslog"], ["127.0.0.1/32"])
    for job in platform.get("/api/scrape-jobs/")["results"]:
        assert (
            platform.call(
                "DELETE", f"/api/scrape-jobs/{job['id']}/", Authorization=f"Bearer {platform.token}"
            ).status
            == 204
        )
    platform.do(f"/api/intake-keys/{key['id']}/revoke/")


def test_the_collector_s_file(page: Page, platform: Platform) -> None:
    """The collector itself is not to be had here: its file is read as one, and what it would send is sent by
    OpenTelemetry's own exporter, to the endpoint and with the headers of the file."""
    ask(page, platform, "otelcol", "otelcol-windows", name="app-1")
    setups = [yaml.safe_load(file(page, way)) for way in ("otelcol", "otelcol-windows")]
    for setup in setups:
        for pipeline in setup["service"]["pipelines"].values():
            assert set(pipeline["receivers"]) <= setup["receivers"].keys()
            assert set(pipeline["processors"]) <= setup["processors"].keys()
            assert set(pipeline["exporters"]) <= setup["exporters"].keys()
        assert setup["processors"]["resource"]["attributes"][0]["value"] == "app-1"
    exporter = setups[0]["exporters"]["otlphttp/watchkeeper"]
    sends = OTLPMetricExporter(f"{exporter['endpoint']}/v1/metrics", headers=exporter["headers"])
    reader = PeriodicExportingMetricReader(sends, export_interval_millis=1e9)
    metrics = MeterProvider([reader], Resource({"host.name": "app-1"}))
    metrics.get_meter("test").create_gauge("system.cpu.load_average.1m").set(1.5)
    assert metrics.force_flush()
    metrics.shutdown()
    expect(page.locator("#arrived h2")).to_contain_text("app-1 sends: about 1 series")
    expect(page.get_by_role("link", name="app-1", exact=True)).to_be_visible(timeout=40_000 * PATIENCE)


def test_telegraf_s_file_and_what_is_refused(page: Page, platform: Platform) -> None:
    ask(page, platform, "telegraf")
    output = tomllib.loads(file(page, "telegraf"))["outputs"]["http"][0]
    assert output["url"] == f"{platform.url}/api/v1/write"

    def send(path: str, body: bytes) -> int:
        return platform.call(
            "POST", path, body, **{k.replace("-", "_"): v for k, v in output["headers"].items()}
        ).status

    first = line(page, "Telegraf")
    assert send("/v1/metrics", b"") == 401
    expect(page.locator("#arrived")).to_contain_text("The intake key 'new host' is not for the door otlp")
    expect(first).to_contain_text("waiting")
    assert send("/api/v1/write", b"no snappy") == 400
    expect(first).to_contain_text("refused")
    keep(page, "added-host-refused")
    now = 1000 * int(time.time())
    assert (
        send("/api/v1/write", packed(request([({"__name__": "system_load1", "host": "db-9"}, [(1.0, now)])])))
        == 204
    )
    expect(page.locator("#arrived h2")).to_contain_text("about 1 series")
    expect(page.locator("#arrived")).to_contain_text(
        "New in the inventory since: db-9", timeout=40_000 * PATIENCE
    )
