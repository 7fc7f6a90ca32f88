"""Targets that are named by files and addresses: Prometheus' file_sd and http_sd. What was found stays while it cannot
be found anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.polled import PollTarget, ScrapeJob
from watchkeeper.model.yaml_text import load_yaml
from watchkeeper.pollers.web import Request, Web

ASK_EVERY = 30.0  # seconds between two looks at a discovery's address
MOST_TARGETS = 20_000
_MOST_BYTES = 10 * 1024**2
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Discovery:
    """What one scrape job finds by its files and its address."""

    def __init__(self) -> None:
        self.targets: tuple[PollTarget, ...] = ()
        self.trouble = ""
        self._files: dict[Path, tuple[int, int]] | None = None
        self._of_files: tuple[PollTarget, ...] = ()
        self._of_address: tuple[PollTarget, ...] = ()
        self._wrong: dict[str, str] = {}  # what is wrong with files and address
        self._ask_at = 0.0

    async def look(self, job: ScrapeJob, web: Web, now: float) -> None:
        """Look at the files, which is cheap, and ask the address when it is time to. `now`: monotonic, in seconds."""
        self._look_at_files(job)
        if not job.discovery_url:
            self._of_address = ()
            self._wrong.pop("address", None)
        elif now >= self._ask_at:
            self._ask_at = now + ASK_EVERY
            await self._ask(job, web)
        found = (*self._of_files, *self._of_address)
        if found != self.targets:
            self.targets = found
        self.trouble = "; ".join(self._wrong.values())

    def _look_at_files(self, job: ScrapeJob) -> None:
        try:
            there = {path: (s.st_mtime_ns, s.st_size) for path in _paths(job.files) for s in (path.stat(),)}
        except OSError:
            return  # it goes away while we look
        if there == self._files:
            return
        self._files = there
        try:
            if job.files and not there:
                raise Malformed(f"there is no file {', '.join(job.files)}")
            self._of_files = tuple(target for path in sorted(there) for target in read(path))
        except Malformed as error:
            self._wrong["files"] = error.detail
        else:
            self._wrong.pop("files", None)

    async def _ask(self, job: ScrapeJob, web: Web) -> None:
        try:
            answer = await web.get(Request(
                job.discovery_url, {"Accept": "application/json"}, job.timeout, _MOST_BYTES,
                authority=job.authority, verify=job.verify,
            ))  # fmt: skip
            if answer.status != 200:
                raise Malformed(f"answers {answer.status} instead of 200")
            self._of_address = tuple(groups(_json(answer.body), {"__meta_url": job.discovery_url}))
        except WatchkeeperError as error:
            self._wrong["address"] = f"{job.discovery_url.partition('?')[0]} {error.detail}"
        else:
            self._wrong.pop("address", None)


def _paths(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        path = Path(pattern)
        yield from path.parent.glob(path.name) if path.parent.is_dir() else ()


def read(path: Path) -> list[PollTarget]:
    """The targets of a file of JSON or YAML. Raises Malformed, which names the file."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Malformed("is larger than 10 MiB")
        body = path.read_bytes()
        said = _json(body) if path.suffix == ".json" else load_yaml(body)
        return list(groups(said, {"__meta_filepath": str(path)}))
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise Malformed(f"{path} {error.detail}") from error


def groups(data: Any, found: Mapping[str, str] = MappingProxyType({})) -> Iterator[PollTarget]:
    """The targets of `[{"targets": ["host:port", …], "labels": {…}}, …]`; `found` are labels that say where they were
    found. Raises Malformed.

    >>> list(groups([{"targets": ["db1:9100"], "labels": {"room": "2"}}]))
    [PollTarget(address='db1:9100', labels={'room': '2'}, name='')]
    """
    if data is None:
        return
    if not isinstance(data, list) or not all(isinstance(group, dict) for group in data):
        raise Malformed('is no list of groups such as {"targets": ["db1:9100"], "labels": {"room": "2"}}')
    count = 0
    for group in data:
        targets, labels = group.get("targets") or [], group.get("labels") or {}
        if not isinstance(targets, list) or not all(isinstance(t, str) and t for t in targets):
            raise Malformed("has a group whose targets are no list of texts")
        if not isinstance(labels, dict) or not all(_sound(k, v) for k, v in labels.items()):
            raise Malformed("has a group whose labels are no names and texts")
        count += len(targets)
        if count > MOST_TARGETS:
            raise Malformed(f"names more than {MOST_TARGETS} targets")
        yield from (PollTarget(target, {**labels, **found}) for target in targets)


def _sound(name: Any, value: Any) -> bool:
    return isinstance(name, str) and isinstance(value, str) and bool(_LABEL.fullmatch(name))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"is no JSON: {error}") from error
