"""A scrape job's targets as they are scraped: with the labels that Prometheus gives them, after the job's rules. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from watchkeeper.model.polled import PollTarget, ScrapeJob
from watchkeeper.model.relabelling import relabelled
from watchkeeper.pollers.scrape import PARAM, address_of

ADDRESS, META = "__address__", "__meta_"


def discovered(job: ScrapeJob, target: PollTarget) -> dict[str, str]:
    """The labels that rules see: Prometheus' discovered labels."""
    given = {
        "job": job.name, "__scheme__": job.scheme, "__metrics_path__": job.path,
        "__scrape_interval__": f"{job.interval:g}s", "__scrape_timeout__": f"{job.timeout:g}s", **job.labels,
    }  # fmt: skip
    params = {f"{PARAM}{name}": value for name, value in job.params.items()}
    every = {**given, **target.labels, **params, ADDRESS: target.address}
    return {name: value for name, value in every.items() if value}


def chosen(job: ScrapeJob, targets: Iterable[PollTarget]) -> tuple[tuple[PollTarget, ...], int]:
    """The targets to scrape, each once, and how many the rules leave out; one that has lost its address is left out."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], PollTarget] = {}
    left_out = 0
    for target in targets:
        labels = relabelled(discovered(job, target), job.relabel_configs)
        address = labels.pop(ADDRESS, "") if labels is not None else ""
        if labels is None or not address:
            left_out += 1
            continue
        labels = {name: value for name, value in labels.items() if not name.startswith(META)}
        labels = {"instance": address, "__scheme__": job.scheme, "__metrics_path__": job.path, **labels}
        found.setdefault(
            (address, frozenset(labels.items())), PollTarget(address, labels, labels["instance"])
        )
    return tuple(_told_apart(job, list(found.values()))), left_out


def _told_apart(job: ScrapeJob, targets: list[PollTarget]) -> Iterable[PollTarget]:
    """With the address in the name where several have one name, and the labels where even that is the same."""
    names = Counter(target.name for target in targets)
    urls = Counter((target.name, address_of(target, job.params)) for target in targets)
    for target in targets:
        url = address_of(target, job.params)
        words = f"{target.name} ({url})" if names[target.name] > 1 else target.name
        if urls[target.name, url] > 1:
            shown = ", ".join(f"{k}={v}" for k, v in sorted(target.labels.items()) if not k.startswith("__"))
            words = f"{target.name} ({url}, {shown})"
        yield PollTarget(target.address, target.labels, words)
