"""Scraping: one target's metrics, fetched and read as Prometheus does it, with the metrics that it adds."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from urllib.parse import urlencode

from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.polled import SCRAPE, PollTarget, ScrapeJob
from watchkeeper.model.relabelling import relabelled
from watchkeeper.model.series import NAME
from watchkeeper.pollers.delivery import SeriesIds
from watchkeeper.pollers.exposition import DROPPED, Reader, Samples
from watchkeeper.pollers.outcome import DOWN, Complaint, Measured, Outcome
from watchkeeper.pollers.reach import Unreachable
from watchkeeper.pollers.web import Request, Web

MOST_BYTES = 64 * 1024**2
_IN_A_THREAD = 512 * 1024  # bytes from which reading would keep the event loop too long
_ACCEPT = "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1"
PARAM = "__param_"
NOTHING = Samples([], [], [], 0, 0, 0)


class Scraper:
    """One target of a job, as `targets.chosen` gives it. Not twice at once."""

    def __init__(self, job: ScrapeJob, target: PollTarget, series: SeriesIds, web: Web) -> None:
        self._job, self._series, self._web = job, series, web
        self.labels = seen(target.labels)
        self._reader = Reader(self._declare)
        self._request = Request(
            address_of(target, job.params), _headers(job), job.timeout, MOST_BYTES, authority=job.authority,
            verify=job.verify,
        )  # fmt: skip

    async def ask(self) -> tuple[Outcome, Samples, int]:
        """The outcome, the target's own samples, and the size of its answer in bytes."""
        began = time.perf_counter()
        samples, size, complaint = NOTHING, 0, None
        try:
            samples, size = await self._fetch()
        except WatchkeeperError as error:
            complaint = Complaint("critical", _sentence(error))
        took = time.perf_counter() - began
        if self._series.touch(samples.ids):
            self._reader.forget()  # declared again with the next answer
        measured = [
            Measured("up", float(complaint is None)),
            Measured("scrape_duration_seconds", took),
            Measured("scrape_samples_scraped", samples.scraped),
            Measured("scrape_samples_post_metric_relabeling", samples.left),
            Measured("scrape_series_added", samples.added),
        ]
        return Outcome(took, measured, {DOWN: complaint}), samples, size

    async def _fetch(self) -> tuple[Samples, int]:
        answer = await self._web.get(self._request)
        if answer.status != 200:
            raise Unreachable(f"answers {answer.status} instead of 200")
        openmetrics = answer.content_type == "application/openmetrics-text"
        limit, body = self._job.sample_limit, answer.body
        if len(body) < _IN_A_THREAD:
            return self._reader.read(body, limit=limit, openmetrics=openmetrics), len(body)
        read = await asyncio.to_thread(self._reader.read, body, limit=limit, openmetrics=openmetrics)
        return read, len(body)

    def _declare(self, name: str, labels: dict[str, str], kind: str, unit: str) -> int:
        full = merged(labels, self.labels, self._job.honor_labels)
        if rules := self._job.metric_relabel_configs:
            found = relabelled({**full, NAME: name}, rules)
            if found is None:
                return DROPPED
            name, full = found.pop(NAME, ""), found
            if not name:
                raise Malformed("the rules leave a sample without a name")
        return self._series.lookup(name, full, kind, unit, SCRAPE)


def merged(own: dict[str, str], given: dict[str, str], honor: bool) -> dict[str, str]:
    """A sample's labels with those of its target. What both have is the target's, and the sample's becomes
    `exported_…`; with `honor` it is the sample's.

    >>> merged({"job": "a"}, {"job": "b"}, False), merged({"job": "a"}, {"job": "b"}, True)
    ({'job': 'b', 'exported_job': 'a'}, {'job': 'a'})
    """
    if honor:
        return {**given, **own}
    found = dict(given)
    for name, value in own.items():
        while name in given:
            name = f"exported_{name}"
        found[name] = value
    return found


def seen(labels: dict[str, str]) -> dict[str, str]:
    """The labels that every sample of a target gets: those that say how it is asked are not among them."""
    return {k: v for k, v in labels.items() if not k.startswith("__")}


def address_of(target: PollTarget, params: dict[str, str]) -> str:
    """Where a target's metrics are, as its labels say; `__param_…` goes before a parameter of the job."""
    labels = target.labels
    own = {k.removeprefix(PARAM): v for k, v in labels.items() if k.startswith(PARAM)}
    query = urlencode({**params, **own})
    return f"{labels['__scheme__']}://{target.address}{labels['__metrics_path__']}{query and f'?{query}'}"


def _headers(job: ScrapeJob) -> dict[str, str]:
    headers = {"Accept": _ACCEPT, "X-Prometheus-Scrape-Timeout-Seconds": f"{job.timeout:g}"}
    if job.bearer:
        headers["Authorization"] = f"Bearer {job.bearer}"
    elif job.user:
        pair = b64encode(f"{job.user}:{job.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    return headers


def _sentence(error: WatchkeeperError) -> str:
    if isinstance(error, Unreachable):
        return error.detail
    return f"answers with what cannot be taken: {error.detail}"
