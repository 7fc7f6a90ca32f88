"""When a scrape job and a probe can be one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import re2

RECORDS = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "CAA")
#: what stands for an item in how it is asked
PLACES = ("address", "host", "name")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HOST = re.compile(r"[^\s/?#@]+")
_HOST_PORT = re.compile(r"[^\s/?#@]+:\d{1,5}")
_PLACE = re.compile(r"\{([^{}]*)\}")
_FILE = (".json", ".yml", ".yaml")
#: kind of probe → what a target of it looks like
_LOOKS = {
    "icmp": (_HOST, "a host, such as db1.example.org"),
    "dns": (_HOST, "a name to look up, such as shop.example.org"),
    "tcp": (_HOST_PORT, "host:port, such as db1:5432"),
    "tls": (_HOST, "a host, or host:port when it is not 443"),
    "scrape": (_HOST_PORT, "host:port, such as db1:9100"),
}


def wrong_target(kind: str, targets: Iterable[str]) -> str:
    """What is wrong with the targets of a probe of this kind, or of a `scrape`; "" for nothing.

    >>> wrong_target("tcp", ["db1"]), wrong_target("http", ["https://shop.example/"])
    ("'db1' is no target: write host:port, such as db1:5432", '')
    """
    for target in targets:
        if kind == "http":
            if wrong := wrong_address(target):
                return wrong
        elif not _LOOKS[kind][0].fullmatch(target):
            return f"{target[:100]!r} is no target: write {_LOOKS[kind][1]}"
    return ""


def wrong_server(text: str) -> str:
    """What is wrong with a server of names."""
    host, colon, port = text.rpartition(":")
    alone = not colon or (":" in host and not host.startswith("["))
    if _HOST.fullmatch(text) and (alone or (port.isdigit() and 0 < int(port) < 65536)):
        return ""
    return f"{text[:100]!r} is no server: write a host, or host:port"


def wrong_address(url: str) -> str:
    """What is wrong with an address of HTTP."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        _ = parts.port
    except ValueError:
        sound = False
    return "" if sound else f"{url[:100]!r} is no address: write one such as https://shop.example.org/"


def wrong_item_target(kind: str, text: str) -> str:
    """What is wrong with how an item is asked, such as `{address}:9100`."""
    places = _PLACE.findall(text)
    if unknown := [p for p in places if p not in PLACES]:
        return f"{{{unknown[0]}}} stands for nothing; {{address}}, {{host}} and {{name}} do"
    if not places:
        return "it has to say {address}, {host} or {name}, for which the item's is put in"
    return wrong_target(kind, [_PLACE.sub("item", text)])


def asked_as(text: str, address: str, host: str, name: str) -> str:
    """An item's target. An address of IPv6 gets brackets where something follows it.

    >>> asked_as("https://{host}/", "10.0.0.7", "db1", "DB 1"), asked_as("{address}:22", "::1", "", "x")
    ('https://db1/', '[::1]:22')
    """
    there = f"[{address}]" if ":" in address and text != "{address}" else address
    values = {"address": there, "host": host or there, "name": name}
    return _PLACE.sub(lambda m: values[m[1]], text)


def wrong_pattern(text: str) -> str:
    """What is wrong with a regular expression."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        return f"no regular expression: {why.decode() if isinstance(why, bytes) else why}"
    return ""


def wrong_files(files: Iterable[str]) -> str:
    """What is wrong with the paths of files that name targets."""
    for path in files:
        if not path.startswith("/") or not path.endswith(_FILE):
            return f"{path[:100]!r}: write a full path that ends with .json, .yml or .yaml; the name may have * in it"
        if "*" in path.rpartition("/")[0]:
            return f"{path[:100]!r}: only the last part may have * in it"
    return ""


def wrong_labels(labels: Mapping[str, str]) -> str:
    """What is wrong with labels."""
    bad = next((name for name in labels if not _LABEL.fullmatch(name) or name.startswith("__")), None)
    return f"{bad!r} cannot be the name of a label" if bad is not None else ""


def wrong_times(interval: float, timeout: float) -> dict[str, str]:
    """Field → what is wrong with it."""
    return {"timeout": "it cannot be longer than the interval"} if timeout > interval else {}


def wrong_choice(targets: Sequence[str], item_choice: Sequence[str], others: Sequence[object]) -> str:
    """What is wrong when nobody is asked."""
    return "" if targets or any(item_choice) or any(others) else "say whom to ask, or which items"
