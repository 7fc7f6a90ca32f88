"""Rules of relabelling: of the same targets and samples, Debian's Prometheus and the platform make the same."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pollers.polled_servers import Page, text
from tests.support import eventually, free_port, require
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.errors import Malformed
from watchkeeper.model.polled import PollTarget, ScrapeJob
from watchkeeper.model.relabelling import read_rules
from watchkeeper.pollers.discovery import read
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.scrape import Scraper, address_of, seen
from watchkeeper.pollers.targets import chosen, discovered
from watchkeeper.pollers.web import Web
from watchkeeper.receivers.series import SeriesTable

TRIED = yaml.safe_load(Path(__file__).with_name("relabelling.yml").read_text())
BODY = b"""go_goroutines 7
http_requests_total{code="200",path="/a"} 1
http_requests_total{code="500",path="/a"} 2
http_requests_total{code="503",path="/b"} 3
build_info{job="inner",version="1.2"} 1
"""


class Prometheus:
    """Debian's, with every list of rules as a job: `r<n>` of targets, `m<n>` of samples."""

    def __init__(self, folder: Path) -> None:
        require(shutil.which("prometheus"), "there is no prometheus")
        self.page = Page(text(BODY))
        self.file = folder / "targets.json"
        self.file.write_text(json.dumps(TRIED["targets"]))
        found = {
            "file_sd_configs": [{"files": [str(self.file)]}],
            "scrape_interval": "1h",
            "params": {"module": ["a"]},
        }
        jobs = [
            {"job_name": f"r{n}", "relabel_configs": rules, **found} for n, rules in enumerate(TRIED["rules"])
        ]
        static = {"static_configs": [{"targets": [self.page.address]}]}
        jobs += [
            {"job_name": f"m{n}", "metric_relabel_configs": rules, **static}
            for n, rules in enumerate(TRIED["metrics"])
        ]
        config = folder / "p.json"
        config.write_text(
            json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
        )
        self.url = f"http://127.0.0.1:{free_port()}"
        self._running = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={self.url.removeprefix('http://')}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def get(self, path: str) -> Any:
        """What its API answers; nothing while it does not."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    def targets(self) -> dict[str, Any]:
        """Those that it has found, once it has found all."""
        count = sum(len(group["targets"]) for group in TRIED["targets"]) * len(TRIED["rules"])

        def all_of_them() -> Any:
            told = self.get("/api/v1/targets")
            files = [
                t for group in told.values() for t in group if "__meta_filepath" in t["discoveredLabels"]
            ]
            return (
                told if len(files) >= count - 4 and self._has_scraped() else None
            )  # some lose their address

        return dict(eventually(all_of_them, 60, 0.2))

    def _has_scraped(self) -> bool:
        there = self.get('/api/v1/series?match[]={__name__="up"}')
        return {f"m{n}" for n in range(len(TRIED["metrics"]))} <= {s["job"] for s in there or ()}

    def stop(self) -> None:
        """End it."""
        self._running.terminate()
        self._running.wait(20)
        self.page.stop()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    made = Prometheus(tmp_path_factory.mktemp("prometheus"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def theirs(prometheus: Prometheus) -> dict[str, Any]:
    return prometheus.targets()


def _frozen(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_the_table_is_large() -> None:
    assert len(TRIED["rules"]) + len(TRIED["metrics"]) >= 45


@pytest.mark.parametrize(
    "number", range(len(TRIED["rules"])), ids=lambda n: json.dumps(TRIED["rules"][n])[:80]
)
def test_targets_become_what_prometheus_makes_of_them(
    prometheus: Prometheus, theirs: dict[str, Any], number: int
) -> None:
    job = ScrapeJob(id="1", name=f"r{number}", interval=3600, timeout=1, params={"module": "a"},
                    relabel_configs=read_rules(TRIED["rules"][number]))  # fmt: skip
    targets = read(prometheus.file)
    ours, left_out = chosen(job, targets)
    active = [t for t in theirs["activeTargets"] if t["scrapePool"] == job.name]
    assert {(_frozen(seen(t.labels)), address_of(t, job.params)) for t in ours} == {
        (_frozen(t["labels"]), t["scrapeUrl"]) for t in active
    }
    assert len({t.called for t in ours}) == len(ours)
    assert left_out == len(targets) - len(active)


def test_rules_see_the_labels_that_prometheus_shows_them(
    prometheus: Prometheus, theirs: dict[str, Any]
) -> None:
    """Those of the job without rules: where there are some, this Prometheus shows what they have changed already."""
    job = ScrapeJob(id="1", name="r0", interval=3600, timeout=1, params={"module": "a"})
    interval = {"__scrape_interval__": "1h"}  # which we write 3600s
    said = [t["discoveredLabels"] for t in theirs["activeTargets"] if t["scrapePool"] == "r0"]
    assert {_frozen({**discovered(job, t), **interval}) for t in read(prometheus.file)} == set(
        map(_frozen, said)
    )


class _Scraped:
    """What is stored of one scrape of the page with a list of rules."""

    def __init__(self, page: Page, number: int, **more: Any) -> None:
        table = SeriesTable()
        job = ScrapeJob(
            id="1", name=f"m{number}", metric_relabel_configs=read_rules(TRIED["metrics"][number]), **more
        )

        async def ask() -> Any:
            web = Web(Reach(refuses))
            await web.start()
            (target,), _ = chosen(job, [PollTarget(page.address)])
            scraper = Scraper(job, target, table, web)
            found = [await scraper.ask() for _ in range(2)]
            await web.stop()
            return found[-1]

        outcome, self.samples, _ = asyncio.run(ask())
        rows = table.take_new()
        self.series = {
            _frozen({**json.loads(s["labels"]), "__name__": s["name"]})
            for s in (rows.to_pylist() if rows else ())
        }
        self.measured = {m.name: m.value for m in outcome.measured}


@pytest.mark.parametrize(
    "number", range(len(TRIED["metrics"])), ids=lambda n: json.dumps(TRIED["metrics"][n])[:80]
)
def test_samples_become_what_prometheus_makes_of_them(
    prometheus: Prometheus, theirs: dict[str, Any], number: int
) -> None:
    assert theirs
    ours = _Scraped(prometheus.page, number)
    match = f'/api/v1/query?query={{job="m{number}",__name__!~"up|scrape_.*"}}'
    if number == 7:  # the one that takes the job of the samples
        match = '/api/v1/query?query={__name__!~"up|scrape_.*",instance!="",job=~"m7|inner",from="m7"}'
    rows = prometheus.get(match.replace(" ", "%20"))["result"]
    assert ours.series == {_frozen(row["metric"]) for row in rows}
    for name in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "up"):
        (row,) = prometheus.get(f'/api/v1/query?query={name}{{job="m{number}"}}')["result"]
        assert ours.measured[name] == float(row["value"][1])


def test_the_limit_counts_what_is_left(prometheus: Prometheus) -> None:
    assert _Scraped(prometheus.page, 2, sample_limit=2).measured["up"] == 1
    assert _Scraped(prometheus.page, 0, sample_limit=2).measured["up"] == 0


def test_a_sample_that_loses_its_name_is_refused(prometheus: Prometheus) -> None:
    TRIED["metrics"].append([{"regex": "__name__", "action": "labeldrop"}])
    try:
        assert _Scraped(prometheus.page, len(TRIED["metrics"]) - 1).measured["up"] == 0
    finally:
        TRIED["metrics"].pop()


@pytest.mark.parametrize(("rule", "said"), [
    ({"regex": "(", "action": "drop"}, "regex"),
    ({"regex": "a)|(b", "target_label": "x"}, "regex"),
    ({"regex": "(a{1000}){1000}", "target_label": "x"}, "regex"),
    ({"regex": "x" * 3000, "target_label": "x"}, "regex"),
    ({"action": "explode"}, "action"),
    ({"action": "hashmod", "target_label": "x"}, "modulus"),
    ({"action": "hashmod", "target_label": "x", "modulus": -1}, "modulus"),
    ({"action": "labeldrop", "regex": "a", "target_label": "x"}, "target_label"),
    ({"action": "lowercase", "target_label": "x", "replacement": "y"}, "replacement"),
    ({"action": "keepequal", "target_label": "x", "regex": "y"}, "regex"),
    ({"action": "keepequal"}, "target_label"),
    ({"target_label": "a-b"}, "target_label"),
    ({"source_labels": ["a b"], "target_label": "x"}, "source_labels"),
    ({"source_labels": "a", "target_label": "x"}, "source_labels"),
    ({"colour": "red"}, "colour"),
])  # fmt: skip
def test_a_rule_that_is_none_is_refused_by_its_part(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(Malformed, match=rf"rule 2: .*{said}"):
        read_rules([{"target_label": "fine"}, rule])
