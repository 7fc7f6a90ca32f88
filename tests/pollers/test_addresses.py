"""However an internal address is spelled, no poll and no discovery reaches it where nothing internal is allowed. The
spellings are those that outbound requests are tried with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.domains import test_outbound
from tests.domains.test_outbound import INTERNAL, LOOPBACK, URLS, Listening
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.polled import PollTarget, Probe, ScrapeJob
from watchkeeper.pollers.discovery import Discovery
from watchkeeper.pollers.probing import Prober
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.scrape import Scraper
from watchkeeper.pollers.targets import chosen
from watchkeeper.pollers.web import Web
from watchkeeper.receivers.series import SeriesTable

listening = test_outbound.listening


@pytest.fixture
def server(listening: Listening, settings: Any) -> Iterator[Listening]:
    """To which nobody may come."""
    settings.POLL_ALLOW = []
    listening.came.clear()
    yield listening
    assert listening.came == []


def _asked(urls: list[str], hosts: list[str], port: int) -> list[str]:
    """What was reached by scrapes, discoveries and probes of these; their timeouts bound it."""

    async def all_of_them() -> list[str]:
        web, reach, table = Web(Reach(refuses)), Reach(refuses), SeriesTable()
        await web.start()
        prober, reached = Prober(reach, web), []
        for url in urls:
            probe = Probe(id="1", name="p", kind="http", timeout=2, statuses=tuple(range(100, 600)))
            if (await prober.ask(probe, url, 0)).ok:
                reached.append(url)
            discovery = Discovery()
            await discovery.look(ScrapeJob(id="1", name="j", discovery_url=url, timeout=2), web, 0.0)
            assert discovery.trouble or not url, url
        for host in hosts:
            (target,), _ = chosen(ScrapeJob(id="1", name="j", timeout=2), [PollTarget(f"{host}:{port}")])
            outcome, _, _ = await Scraper(ScrapeJob(id="1", name="j", timeout=2), target, table, web).ask()
            probes = [Probe(id="1", name="p", kind=kind, timeout=2) for kind in ("tcp", "tls")]
            outcomes = [outcome, *[await prober.ask(p, f"{host}:{port}", 0) for p in probes]]
            outcomes.append(
                await prober.ask(Probe(id="1", name="p", kind="icmp", timeout=2), host.strip("[]"), 0)
            )
            by_name = Probe(id="1", name="p", kind="dns", timeout=2, server=f"{host}:{port}")
            outcomes.append(await prober.ask(by_name, "a.example", 0))
            reached += [host for one in outcomes if one.ok]
        prober.close()
        await web.stop()
        return reached

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("hosts", [LOOPBACK, INTERNAL], ids=["loopback", "internal"])
def test_no_spelling_of_an_internal_address_is_polled(server: Listening, hosts: tuple[str, ...]) -> None:
    urls = [f"{scheme}://{host}:{server.port}/" for host in hosts for scheme in ("http", "https")]
    assert _asked(urls, list(hosts), server.port) == []


def test_no_address_in_disguise_is_polled(server: Listening) -> None:
    hosts = ("127.0.0.1", f"127.0.0.1:{server.port}", f"localhost:{server.port}", f"[::1]:{server.port}")
    assert _asked([shape.format(host) for shape in URLS for host in hosts], [], server.port) == []
