"""The series that are known: what they are called, what they belong to, over restarts and within bounds."""

from __future__ import annotations

import msgspec

from tests.analysis.normalise_rows import MACHINE, VM, Fed, sample, series
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.series import NAME, series_id
from watchkeeper.model.signals import batch


def test_series_are_known_by_their_id_and_follow_the_graph() -> None:
    fed = Fed()
    disk = ("node_disk_io_now", {"instance": "vm:9100", "job": "node", "device": "sda"})
    loop = ("up", {"instance": "localhost:1"})
    work = fed.read(series(*disk), series(*loop))
    number = series_id({**disk[1], NAME: disk[0]})
    assert work.series[number].name == disk[0] and work.series[number].labels == disk[1]
    assert fed.topology.name(work.series[number].item) == "vm"
    assert set(work.changed_series) == set(work.series) and len(work.series) == 2
    work = fed.read(series(*disk), sample(*disk))
    assert work.changed_series == []
    work = fed.read(MACHINE)
    assert work.changed_series == [number] and fed.topology.name(work.series[number].item) == "sda on vm"
    work = fed.read(series(*disk, kind="counter"))
    assert work.changed_series == [number] and work.series[number].kind == "counter"


def test_series_are_known_after_a_restart() -> None:
    fed = Fed()
    fed.read(MACHINE, *(series("node_load1", {"instance": f"h{n}:9100", "job": "node"}) for n in range(5)))
    state = fed.stage.snapshot()
    kept = msgspec.msgpack.decode(
        msgspec.msgpack.encode({k: v for k, v in state["series"].items() if k == "text"})
    )
    state = {**state, "series": {**state["series"], **kept}}
    again = Normalise()
    again.restore(state, [], [])
    work = Fed(again, fed.topology).read()
    assert work.series == fed.stage.series.infos and work.changed_series == []
    for broken in (None, {}, {"version": 0}):
        other = Normalise()
        other.restore(broken, [], [])
        assert Fed(other).read().series == {}


def test_series_that_telemetry_remembers_are_known_too() -> None:
    fed = Fed()
    fed.read(MACHINE)
    stream, row = series("node_load1", {"instance": "vm:9100", "job": "node"})
    again = Fed(topology=fed.topology)
    again.stage.declare(batch(stream, [row]))
    work = again.read()
    (info,) = work.series.values()
    assert info.item == VM and work.changed_series == [info.id] and again.topology is fed.topology


def test_series_are_bounded_and_silent_ones_make_room() -> None:
    fed = Fed(Normalise(most_series=3))
    some = [("up", {"instance": f"h{n}:9100", "job": "node"}) for n in range(5)]
    fed.read(*(series(*s) for s in some))
    assert len(fed.stage.series.infos) == 3 and fed.stage.statistics["series_refused"] == 2
    hour = 3_600_000
    for _ in range(14):
        fed.read(sample(*some[0]), after=hour)
    work = fed.read(series(*some[3]))
    assert {i.labels["instance"] for i in work.series.values()} == {"h0:9100", "h3:9100"}


def test_a_series_that_still_has_samples_keeps_its_items_fresh() -> None:
    fed = Fed(Normalise(hold_ms=3 * 3_600_000))
    one = ("http_requests", {"instance": "web1:80", "job": "checkout"})
    fed.read(series(*one))
    for _ in range(6):
        fed.read(sample(*one), after=3_600_000)
    assert fed.edges() == {("checkout", "runs_on", "web1")}
    for _ in range(6):
        fed.read(after=3_600_000)
    assert fed.edges() == set(), "what nothing shows any more has ended"
    assert fed.items() == ["checkout", "web1"]
