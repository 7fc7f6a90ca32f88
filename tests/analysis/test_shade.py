"""A version in the shade is compared and decides nothing; which version decides is an act that can be taken back."""

from __future__ import annotations

import msgspec

from tests.analysis.test_cause_joined import NOW, Platform
from watchkeeper.analysis.causes.joined import SHARES
from watchkeeper.analysis.shade import Agreement, Compared
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.verdicts import Situation
from watchkeeper.model.versions import CAUSE, PARTS


def choose(platform: Platform, now_ms: int, **chosen: str) -> None:
    act = Act(
        id=f"v{now_ms}", kind=ActKind.VERSIONS, target=CAUSE, actor="ada", time_ms=now_ms, data=dict(chosen)
    )
    row = {"time_ms": now_ms, "document": msgspec.json.encode(act)}
    platform.tell([(Stream.ACTS, batch(Stream.ACTS, [row]))], now_ms)


def situation(platform: Platform) -> Situation:
    (only,) = platform.situations.values()
    return only


def measured(platform: Platform) -> list[Compared]:
    (question,) = platform.tell([], NOW + 240_000).questions
    platform.measured(question, ("shop", "cart", "db"), NOW + 241_000)
    return platform.compared


def test_every_version_that_can_be_chosen_is_there() -> None:
    assert SHARES.keys() == PARTS[CAUSE].versions.keys()


def test_what_the_shade_says_is_compared_and_changes_nothing() -> None:
    alone, shaded = Platform(), Platform()
    for platform in (alone, shaded):
        platform.alert("shop", NOW)
    choose(shaded, NOW + 1000, decides="half", shade="alerts")
    assert measured(alone) == []
    (compared,) = measured(shaded)
    assert situation(shaded).causes == situation(alone).causes
    assert compared.versions == ("half", "alerts") and compared.subject == situation(shaded).id
    assert (compared.deciding, compared.shade) == ("db", "shop")
    assert compared.agreement is Agreement.DIFFERS


def test_places_are_changed_and_changed_back() -> None:
    platform = Platform()
    platform.alert("shop", NOW)
    measured(platform)
    assert situation(platform).causes[0].item == "db"
    choose(platform, NOW + 300_000, decides="alerts", shade="half")
    assert situation(platform).causes[0].item == "shop"
    assert platform.compared[-1].deciding == "shop" and platform.compared[-1].shade == "db"
    choose(platform, NOW + 301_000, decides="half", shade="alerts")
    assert situation(platform).causes[0].item == "db"


def test_a_version_that_is_unknown_counts_as_not_chosen() -> None:
    platform = Platform()
    platform.alert("shop", NOW)
    choose(platform, NOW + 1000, decides="of next year", shade="half")
    assert measured(platform) == [] and situation(platform).causes[0].item == "db"


def test_one_that_comes_into_the_shade_late_judges_what_still_lives() -> None:
    platform = Platform()
    platform.alert("shop", NOW)
    assert measured(platform) == []
    choose(platform, NOW + 300_000, decides="half", shade="alerts")
    assert [c.agreement for c in platform.compared] == [Agreement.DIFFERS]
