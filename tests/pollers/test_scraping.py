"""Scraping real targets: what node_exporter and Prometheus say is stored as Prometheus stores it, and what is hostile is
bounded and told in words."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pollers.polled_servers import Page, endless, node_exporter, redirect, text
from tests.support import eventually, free_port
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.errors import Malformed
from watchkeeper.model.polled import PollTarget, ScrapeJob
from watchkeeper.pollers.discovery import Discovery, read
from watchkeeper.pollers.exposition import Reader
from watchkeeper.pollers.outcome import DOWN
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.scrape import Scraper
from watchkeeper.pollers.targets import chosen
from watchkeeper.pollers.web import Web
from watchkeeper.receivers.series import SeriesTable


class Scraped:
    """What came of scraping a target some times."""

    def __init__(self, address: str, times: int = 1, **job: Any) -> None:
        self.table = SeriesTable()
        asked = asyncio.run(self._ask(ScrapeJob(id="1", name="job", **job), PollTarget(address), times))
        self.outcome, self.samples, self.size = asked
        complaint = self.outcome.complaints[DOWN]
        self.error = complaint.words if complaint else ""
        declared = self.table.take_new()
        self.series = declared.to_pylist() if declared is not None else []
        self.measured = {m.name: m.value for m in self.outcome.measured}

    async def _ask(self, job: ScrapeJob, target: PollTarget, times: int) -> Any:
        web = Web(Reach(refuses))
        await web.start()
        (asked,), _ = chosen(job, [target])
        scraper = Scraper(job, asked, self.table, web)
        found = [await scraper.ask() for _ in range(times)]
        await web.stop()
        return found[-1]

    def labels(self) -> set[tuple[str, str]]:
        """Name and labels of every series."""
        return {(s["name"], json.dumps(json.loads(s["labels"]), sort_keys=True)) for s in self.series}


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page(text(b""))
    yield made
    made.stop()


def test_the_second_time_every_line_is_known(page: Page) -> None:
    page.say = text(b'# TYPE a counter\n# UNIT s seconds\na_total{b="1",c="\\"x\\\\\\n"} 1\n# TYPE h histogram\n'
                    b'h_bucket{le="+Inf"} 4\nh_sum 2.5\nh_count 4 1700000000000\n\nup 7\ngone NaN\n')  # fmt: skip
    twice = Scraped(page.address, times=2, labels={"site": "north"})
    assert twice.measured["up"] == 1 and twice.measured["scrape_samples_scraped"] == 6
    assert twice.measured["scrape_series_added"] == 0
    assert twice.samples.times_ms == [0, 0, 0, 1700000000000, 0, 0] and twice.samples.values[:4] == [
        1,
        4,
        2.5,
        4,
    ]
    kinds = {s["name"]: s["kind"] for s in twice.series}
    assert kinds["a_total"] == "counter" and kinds["h_bucket"] == "counter" and kinds["up"] == "unknown"
    first = json.loads(next(s for s in twice.series if s["name"] == "a_total")["labels"])
    assert first == {"b": "1", "c": '"x\\\n', "instance": page.address, "job": "job", "site": "north"}


def test_labels_of_a_target_win_unless_its_own_are_honoured(page: Page) -> None:
    page.say = text(b'a{job="own"} 1\n{"b.c",job="own"} 2\n')
    names = {s["name"]: json.loads(s["labels"]) for s in Scraped(page.address).series}
    assert names["a"]["job"] == "job" and names["b.c"]["exported_job"] == "own"
    honoured = {s["name"]: json.loads(s["labels"]) for s in Scraped(page.address, honor_labels=True).series}
    assert honoured["a"]["job"] == "own" and "exported_job" not in honoured["a"]


def test_openmetrics_is_read_with_exemplars_and_times_in_seconds(page: Page) -> None:
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    body = b'# TYPE a counter\na_total{x="1"} 3 1700000000.5 # {trace="7"} 1\n# EOF\n'
    page.say = text(body, kind)
    assert Scraped(page.address, times=2).samples.times_ms == [1700000000500]
    page.say = text(body.replace(b"# EOF\n", b""), kind)
    assert "does not end with # EOF" in Scraped(page.address).error


@pytest.mark.parametrize(("body", "said"), [
    (b"a 1\nb \xff 2\n", "line 2 is not UTF-8"),
    (b"<html>no</html>\n", "line 1 is no sample"),
    (b"a 1\na{b=} 1\n", "line 2 is no sample"),
    (b'a{b="1} 1\n', "line 1 is no sample"),
    (b"a one\n", "line 1 is no sample"),
    (b"".join(b'a{n="%d"} 1\n' % i for i in range(1000)), "more than 500 samples"),
    (b"a " + b"1" * 20_000 + b"x\n", "line 1 is no sample"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused_as_a_whole_in_words(page: Page, body: bytes, said: str) -> None:
    page.say = text(body)
    refused = Scraped(page.address, sample_limit=500)
    assert said in refused.error and refused.measured["up"] == 0 and refused.samples.ids == []


def test_what_does_not_end_is_bounded_in_size_and_in_time(page: Page) -> None:
    page.say = endless(b"# a comment that goes on and on and on\n")
    assert "answers with more than 64 MiB" in Scraped(page.address, timeout=60).error
    page.say = endless(b"a 1\n", pause=0.05)
    assert Scraped(page.address, timeout=0.3).error == "does not answer within 0.3 s"
    page.say = endless(b"a_name_without_an_end", pause=0.05)
    assert Scraped(page.address, timeout=0.3).error == "does not answer within 0.3 s"


def test_a_million_series_find_no_room_and_leave_room_for_others(page: Page) -> None:
    page.say = text(b"".join(b'a{n="%d"} 1\n' % i for i in range(1_000_000)))
    refused = Scraped(page.address, timeout=60)
    assert "more than 50000 samples" in refused.error
    assert len(refused.table) <= 50_001


@pytest.mark.parametrize("where", [
    "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://0xa9fea9fe/",
    "http://2852039166/", "http://[fe80::1]/", "http://0.0.0.0/", "http://0/", "http://[::]/", "http://224.0.0.1/",
    "http://[fd00:ec2::254]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/", "http://100.100.100.200/",
])  # fmt: skip
def test_a_redirect_leads_nowhere_that_is_never_polled(page: Page, where: str) -> None:
    page.say = redirect(where)
    assert "is not polled" in Scraped(page.address, timeout=3).error


def test_credentials_do_not_follow_a_redirect_to_somebody_else(page: Page) -> None:
    heard: list[str | None] = []

    def listen(request: Any) -> None:
        heard.append(request.headers.get("Authorization"))
        text(b"a 1\n")(request)

    other = Page(listen)
    page.say = listen
    Scraped(page.address, user="u", password="p")
    page.say = redirect(f"http://{other.address}/metrics")
    assert Scraped(page.address, user="u", password="p").error == ""
    assert heard == ["Basic dTpw", None]
    other.stop()


def test_not_reaching_a_target_is_said_plainly(page: Page) -> None:
    page.say = text(b"", status=403)
    assert Scraped(page.address).error == "answers 403 instead of 200"
    assert Scraped(f"127.0.0.1:{free_port()}").error == "refuses the connection"
    assert "cannot be resolved" in Scraped("nowhere.invalid:80").error


def test_files_and_addresses_name_targets_and_keep_them_while_they_are_wrong(
    page: Page, tmp_path: Path
) -> None:
    (tmp_path / "a.yml").write_text('- targets: ["a:1"]\n  labels: {room: "1"}\n')
    (tmp_path / "b.json").write_text('[{"targets": ["b:1"]}]')
    page.say = text(b'[{"targets": ["c:1"], "labels": {"x": "y"}}]', "application/json")
    job = ScrapeJob(id="1", name="j", files=(f"{tmp_path}/*.yml", f"{tmp_path}/b.json"),
                    discovery_url=f"http://{page.address}/")  # fmt: skip

    async def looks() -> None:
        web, found = Web(Reach(refuses)), Discovery()
        await web.start()
        await found.look(job, web, 0.0)
        assert [t.address for t in found.targets] == ["a:1", "b:1", "c:1"] and not found.trouble
        assert found.targets[0].labels == {"room": "1", "__meta_filepath": f"{tmp_path}/a.yml"}
        assert found.targets[2].labels == {"x": "y", "__meta_url": job.discovery_url}
        (tmp_path / "a.yml").write_text("- targets: [")
        page.say = text(b"{}", "application/json")
        await found.look(job, web, 1000.0)
        assert [t.address for t in found.targets] == ["a:1", "b:1", "c:1"]
        assert "a.yml is no YAML at line" in found.trouble and "is no list of groups" in found.trouble
        (tmp_path / "a.yml").write_text('- targets: ["d:1"]')
        page.say = text(b"[]", "application/json")
        await found.look(job, web, 2000.0)
        assert [t.address for t in found.targets] == ["d:1", "b:1"] and not found.trouble
        for name in ("a.yml", "b.json"):
            (tmp_path / name).unlink()
        await found.look(job, web, 3000.0)
        assert len(found.targets) == 2 and "there is no file" in found.trouble
        await web.stop()

    asyncio.run(looks())


@pytest.mark.parametrize("body", ['{"a": 1}', "[1]", '[{"targets": "a:1"}]', '[{"targets": [1]}]', "[" * 100_000,
                                  '[{"targets": [], "labels": {"a b": "c"}}]', "nothing"])  # fmt: skip
def test_a_file_that_names_no_targets_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "t.json").write_text(body)
    with pytest.raises(Malformed, match=r"t\.json"):
        read(tmp_path / "t.json")
    (tmp_path / "t.yml").write_text(body)
    with pytest.raises(Malformed, match=r"t\.yml"):
        read(tmp_path / "t.yml")


def _of_prometheus(url: str, job: str) -> set[tuple[str, str]]:
    with urllib.request.urlopen(f'{url}/api/v1/series?match[]={{job="{job}"}}') as answer:
        found = json.load(answer)["data"]
    return {(s.pop("__name__"), json.dumps(s, sort_keys=True)) for s in found}


def test_what_is_stored_of_node_exporter_and_prometheus_is_what_prometheus_stores(tmp_path: Path) -> None:
    own = free_port()
    quiet = ("--no-collector.netclass", "--no-collector.cpufreq")
    with node_exporter(*quiet) as address:
        (tmp_path / "p.yml").write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "job", "static_configs": [{"targets": [address]}]}]}))  # fmt: skip
        running = subprocess.Popen(
            ["prometheus", f"--config.file={tmp_path}/p.yml", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{own}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{own}"

            def has_scraped() -> bool:
                try:
                    return any(name == "up" for name, _ in _of_prometheus(url, "job"))
                except OSError:
                    return False

            eventually(has_scraped)
            ours, theirs = Scraped(address, times=3), _of_prometheus(url, "job")
            assert ours.error == "" and len(ours.series) > 200
            added = {"up", "scrape_duration_seconds", "scrape_samples_scraped",
                     "scrape_samples_post_metric_relabeling", "scrape_series_added"}  # fmt: skip
            assert {n for n, _ in theirs} & added == set(ours.measured)
            assert {s for s in theirs if s[0] not in added} == ours.labels()
            own_metrics = Scraped(f"127.0.0.1:{own}", times=2)
            assert own_metrics.error == "" and own_metrics.measured["scrape_samples_scraped"] > 300
        finally:
            running.terminate()
            running.wait(10)


def test_a_reader_forgets_series_that_are_gone() -> None:
    reader, ids = Reader(lambda *series: int(series[1]["n"])), set()
    for round_ in range(5):
        body = b"".join(b'a{n="%d"} 1\n' % (round_ * 10_000 + i) for i in range(1500))
        ids |= set(reader.read(body, limit=10_000).ids)
    assert len(ids) == 7500 and len(reader._known) <= 2 * 1500 + 1000
