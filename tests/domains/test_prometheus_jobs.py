"""A prometheus.yml as scrape jobs: what is the same, and what is left out by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.platform import Platform
from watchkeeper.domains.polling.prometheus import read
from watchkeeper.domains.polling.relabelling import rules_of
from watchkeeper.model.errors import Malformed
from watchkeeper.model.polled import PollTarget, ScrapeJob
from watchkeeper.pollers.targets import chosen

CONFIG = """
global: {scrape_interval: 30s, evaluation_interval: 1m, external_labels: {a: b}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: node
    scrape_timeout: 500ms
    static_configs:
      - {targets: ["a:9100", b], labels: {site: north, price: "5$1"}}
      - {targets: ["[::1]:9100"], labels: {site: south, __metrics_path__: /other}}
    relabel_configs:
      - {source_labels: [site], target_label: region, replacement: eu-$1}
    metric_relabel_configs: [{source_labels: [__name__], regex: go_.*, action: drop}]
  - job_name: found
    scheme: https
    honor_timestamps: true
    file_sd_configs: [{files: ["targets/*.yml", /etc/t.json], refresh_interval: 1m}]
    http_sd_configs: [{url: "http://sd.example.org/targets"}]
    basic_auth: {username: u, password: secret}
    params: {module: [if_mib]}
    tls_config: {insecure_skip_verify: true}
"""
REFUSED = {
    "kubernetes_sd_configs: [{role: pod}]": "kubernetes_sd_configs",
    "honor_timestamps: false": "honor_timestamps",
    "params: {match: [a, b]}": "params.match",
    "basic_auth: {username: u, password_file: /x}": "basic_auth.password_file",
    "http_sd_configs: [{url: 'http://a/', proxy_url: 'http://b/'}]": "proxy_url",
    "scrape_interval: soon": "soon",
    "static_configs: [a]": "form",
    "file_sd_configs: [{}]": "files",
}


def test_jobs_scrape_the_same_targets_with_the_same_labels() -> None:
    (node, found), left_out = read(CONFIG.encode(), "/etc/prometheus")
    assert not left_out
    job = ScrapeJob(id="1", name=node["name"], relabel_configs=rules_of(node["relabel_configs"]))
    targets, _ = chosen(job, map(PollTarget, node["targets"]))
    labels = {t.address: (t.labels["site"], t.labels["region"], t.labels.get("price"), t.labels["__metrics_path__"])
              for t in targets}  # fmt: skip
    assert labels == {"a:9100": ("north", "eu-north", "5$1", "/metrics"), "b:80": ("north", "eu-north", "5$1", "/metrics"),
                      "[::1]:9100": ("south", "eu-south", None, "/other")}  # fmt: skip
    assert (node["interval"], node["timeout"]) == (30, 0.5)
    assert found["files"] == ["/etc/prometheus/targets/*.yml", "/etc/t.json"] and found["params"] == {
        "module": "if_mib"
    }
    assert (found["user"], found["password"], found["verify"]) == ("u", "secret", False)


@pytest.mark.parametrize("part", REFUSED)
def test_what_cannot_be_taken_over_is_named(part: str) -> None:
    rows, left_out = read(f"scrape_configs:\n  - job_name: x\n    {part}\n  - job_name: y\n".encode(), "/")
    assert [row["name"] for row in rows] == ["y"] and REFUSED[part] in left_out["x"]


@pytest.mark.parametrize("text", ["", "[1]", "scrape_configs: 1", "a: [", "[" * 50_000])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read(text.encode(), "/")


def test_the_command_shows_and_then_makes_them(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(CONFIG)
    here = Platform(tmp_path / "var")
    told = here.run("scrape-jobs", "import", "--dry-run", str(file))
    assert "create: 2, change: 0, same: 0, left out: 0" in told and "secret" not in told
    assert json.loads(here.run("get", "scrape-jobs", "--json")) == []
    here.run("scrape-jobs", "import", str(file))
    assert {row["name"] for row in json.loads(here.run("get", "scrape-jobs", "--json"))} == {"node", "found"}
    assert "same: 1" in here.run("scrape-jobs", "import", str(file))  # a password is sealed: it is set again
