"""The watch over services: whatever comes and goes, and whenever the platform restarts, what was told to have
stopped is told to be back, and nothing is told twice."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.pollers.host_services import End, Service, Talk
from watchkeeper.pollers.host_watch import FORGET_MS, GONE_MS, State, Watch

DAY = 86_400_000
BOOTED = 10 * DAY
SERVICES = {
    "postgres": Service("postgres", (("tcp", 5432),), pids=(1,), started_ms=BOOTED),
    "redis": Service("redis", (("tcp", 6379), ("tcp", 16379)), pids=(2,), started_ms=BOOTED),
    "redis2": Service("redis", (("tcp", 6380),), pids=(3,), started_ms=BOOTED),
    "worker": Service("worker", (("tcp", 40001),), pids=(4,), started_ms=BOOTED),
}
TALK = Talk(End("service", "worker:40001"), End("service", "postgres:5432"))


def restarted(watch: Watch) -> Watch:
    return Watch(msgspec.json.decode(msgspec.json.encode(watch.state()), type=State))


looks = st.lists(
    st.tuples(st.sets(st.sampled_from(sorted(SERVICES))), st.integers(1, 90_000), st.booleans()), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(looks)
def test_alerts_alternate_and_end_with_the_truth(steps: list[tuple[set[str], int, bool]]) -> None:
    watch, now = Watch(), BOOTED + DAY
    firing: set[tuple[str, str]] = set()
    missed: dict[str, int] = {}
    for there, passed, restart in [({*SERVICES}, 1, False), *steps]:
        now += passed
        if restart:
            watch = restarted(watch)
        for a in watch.see([SERVICES[s] for s in sorted(there)], now, BOOTED):
            key = (a.service.key, str(a.client))
            assert (key in firing) != a.firing, "told twice, or ended before it began"
            assert a.ends_ms == 0 if a.firing else a.ends_ms == now
            assert a.starts_ms <= now
            (firing.add if a.firing else firing.discard)(key)
        if {"postgres", "worker"} <= there:
            watch.hear([TALK], now)
        for name, service in SERVICES.items():
            if name in there:
                missed.pop(name, None)
            else:
                missed.setdefault(name, now)
            down = (service.key, "None") in firing
            assert down == (name in missed and now - missed[name] >= GONE_MS), name
    watch.see(list(SERVICES.values()), now + 1, BOOTED)


@settings(max_examples=50, deadline=None)
@given(st.permutations(sorted(SERVICES)))
def test_names_and_keys_do_not_depend_on_the_order_of_looking(order: list[str]) -> None:
    watch = Watch()
    watch.see([SERVICES[s] for s in sorted(SERVICES)], BOOTED + DAY, BOOTED)
    names = {s: watch.of(SERVICES[s]).name for s in order}
    watch.see([SERVICES[s] for s in order], BOOTED + DAY + 5000, BOOTED)
    assert {s: watch.of(SERVICES[s]).name for s in order} == names
    assert len(set(names.values())) == len(names)


def test_a_program_that_listens_on_another_ephemeral_port_is_the_same() -> None:
    watch = Watch()
    now = BOOTED + DAY
    watch.see([SERVICES["worker"]], now, BOOTED)
    moved = Service("worker", (("tcp", 45555),), pids=(9,), started_ms=now)
    for later in (5000, 10_000, 15_000):
        assert watch.see([moved], now + later, BOOTED) == []
    assert watch.of(moved).key == "worker:40001"


def test_a_listener_of_nobody_known_is_not_taken_for_one_that_stopped() -> None:
    watch, now = Watch(), BOOTED + DAY
    watch.see([SERVICES["worker"]], now, BOOTED)
    watch, nobody = restarted(watch), Service("port-45001", (("tcp", 45001),))
    told = [watch.see([nobody], now + GONE_MS * n, BOOTED) for n in (1, 2)][1]
    assert [(a.firing, a.service.program) for a in told] == [(True, "worker")]


def test_a_further_port_does_not_make_another_service() -> None:
    watch = Watch()
    now = BOOTED + DAY
    watch.see([SERVICES["postgres"]], now, BOOTED)
    more = Service("postgres", (("tcp", 5431), ("tcp", 5432)), pids=(1,), started_ms=BOOTED)
    assert watch.see([more], now + 5000, BOOTED) == []
    assert watch.of(more).name == "postgres" and len(watch.known) == 1


def test_what_was_hidden_from_an_ordinary_user_is_the_same_for_root() -> None:
    watch, now = Watch(), BOOTED + DAY
    hidden = Service("port-7777", (("tcp", 7777),))
    watch.see([hidden], now, BOOTED)
    watch.see([hidden], now + 70_000, BOOTED)
    seen = Service("ledger", (("tcp", 7777),), pids=(5,), started_ms=BOOTED)
    assert watch.see([seen], now + 80_000, BOOTED) == []
    assert [k.program for k in watch.known.values()] == ["ledger"]


def test_after_the_machine_has_started_its_services_get_time() -> None:
    watch = Watch()
    watch.see([SERVICES["postgres"]], BOOTED + DAY, BOOTED)
    watch = restarted(watch)
    booted = BOOTED + 2 * DAY
    for later in (20_000, 60_000, 170_000):
        assert watch.see([], booted + later, booted) == []
    (alert,) = watch.see([], booted + 181_000, booted)
    assert alert.firing


def test_what_stays_away_for_a_week_is_forgotten_and_its_alert_ends() -> None:
    watch, now = Watch(), BOOTED + DAY
    watch.see([SERVICES["postgres"]], now, BOOTED)
    watch.see([], now + 5000, BOOTED)
    (fired,) = watch.see([], now + 10_000, BOOTED)
    (ended,) = watch.see([], now + FORGET_MS + 1, BOOTED)
    assert fired.firing and not ended.firing and not watch.known


def test_a_client_that_has_gone_too_has_lost_nothing() -> None:
    watch, now = Watch(), BOOTED + DAY
    both = [SERVICES["postgres"], SERVICES["worker"]]
    watch.see(both, now, BOOTED)
    watch.hear([TALK], now)
    watch.see([], now + 5000, BOOTED)
    told = watch.see([], now + 10_000, BOOTED)
    assert sorted((a.service.name, a.client) for a in told) == [("postgres", None), ("worker", None)]
