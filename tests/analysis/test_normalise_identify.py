"""What labels name: a table in tests/captures/identify, and what holds for any labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.analysis.identify import identifiers, identify, peer, subject
from watchkeeper.analysis.identify_labels import MAX_VALUE, ROLES, naming
from watchkeeper.model.hostnames import hardware_identifier, host_and_port, host_identifiers, is_here

CASES = json.loads((Path(__file__).parents[1] / "captures" / "identify" / "cases.json").read_text())
NAMES = sorted({name for names in ROLES.values() for name in names} | {"severity", "alertname"})
words = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["db1", "db1.example.org", "10.0.0.1:9100", "localhost", "::1", "https://x.org/", "a/b"]),
    st.just("cart-6d4cf56db6-xk2lp"),
)
any_labels = st.dictionaries(st.sampled_from(NAMES), words, max_size=8)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["because"])
def test_labels_name(case: dict[str, Any]) -> None:
    found = identify(case["labels"], "h", case.get("metric", ""))
    assert [f"{x.scheme}={x.value}" for x in found] == case["is"]


@pytest.mark.parametrize(
    ("name", "is_"),
    [
        ("cart", ["service.name=cart", "hostname=cart"]),
        ("Cart Service", ["service.name=cart service"]),
        ("db1:5432", ["listen=h/tcp/5432", "service.name=db1", "endpoint=db1:5432", "hostname=db1"]),
        ("203.0.113.7:443", ["listen=h/tcp/443", "endpoint=203.0.113.7:443", "address=203.0.113.7"]),
        ("api.example.org", ["fqdn=api.example.org"]),
        ("https://api.example.org/v1", ["listen=h/tcp/443", "endpoint=api.example.org:443", "fqdn=api.example.org"]),
        ("cart.shop.svc:80", ["listen=h/tcp/80", "service.name=shop/cart", "endpoint=cart.shop.svc:80"]),
        ("[2001:db8::1]:80", ["listen=h/tcp/80", "endpoint=[2001:db8::1]:80", "address=2001:db8::1"]),
        ("localhost:5432", []), ("127.0.0.1", []), ("", []), ("unknown", []), ("fe80::1", []),
    ],
)  # fmt: skip
def test_a_client_names_whom_it_calls(name: str, is_: list[str]) -> None:
    assert [f"{x.scheme}={x.value}" for x in identifiers(peer(name), "h")] == is_


@given(any_labels, st.randoms())
def test_the_order_of_labels_makes_no_difference(labels: dict[str, str], random: Any) -> None:
    pairs = list(labels.items())
    random.shuffle(pairs)
    assert identify(dict(pairs), "h") == identify(labels, "h")
    # and what the cache goes by says all that is needed
    assert subject(dict(naming(labels))) == subject(labels)


@given(any_labels)
def test_identifiers_are_bounded_lower_case_and_printable(labels: dict[str, str]) -> None:
    for x in identify(labels, "h"):
        assert 0 < len(x.value) <= 3 * MAX_VALUE
        assert x.value == x.value.lower()
        assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in x.value)


@given(any_labels)
def test_no_identifier_of_a_host_is_a_name_that_every_machine_has(labels: dict[str, str]) -> None:
    for x in subject(labels).host:
        if x.scheme in ("serial", "uuid", "mac"):
            assert hardware_identifier(x.scheme, x.value) == x
        elif x.scheme != "host.id":
            assert not is_here(x.value)
            assert host_identifiers(x.value) == (x,), "and its form is the only one"


@given(st.text(max_size=300))
def test_any_text_splits_into_a_host_and_a_port(text: str) -> None:
    _, port = host_and_port(text)
    assert 0 <= port < 65536
