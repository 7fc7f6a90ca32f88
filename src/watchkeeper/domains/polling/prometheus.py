"""Scrape jobs of a Prometheus configuration: `scrape_configs` of a prometheus.yml as rows of scrape jobs. What cannot be
taken over is named, and its job left out. Pure; names of files are those of the file's own folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from watchkeeper.model.errors import Malformed
from watchkeeper.model.yaml_text import load_yaml

Fields = dict[str, Any]
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
#: what may be said because it is what happens anyway
_ANYWAY: Fields = {
    "honor_timestamps": True, "follow_redirects": True, "enable_http2": True, "enable_compression": True,
    "track_timestamps_staleness": False,
}  # fmt: skip
_PLAIN = {"job_name": "name", "metrics_path": "path", "scheme": "scheme", "honor_labels": "honor_labels"}
_RULES = ("relabel_configs", "metric_relabel_configs")
_KNOWN = {*_PLAIN, *_RULES, "scrape_interval", "scrape_timeout", "params", "sample_limit", "static_configs",
          "file_sd_configs", "http_sd_configs", "basic_auth", "authorization", "bearer_token", "tls_config"}  # fmt: skip
_IN_ONE_RULE = 25  # targets that one rule names


def read(data: bytes, folder: str) -> tuple[list[Fields], dict[str, str]]:
    """Rows of scrape jobs, and job → why it is left out. Raises Malformed for what is no configuration."""
    try:
        said = load_yaml(data)
    except Malformed as error:
        raise Malformed(f"this {error.detail}") from error
    if not isinstance(said, dict) or not isinstance(said.get("scrape_configs"), list):
        raise Malformed("this is no configuration of Prometheus: it has no list scrape_configs")
    usual = said.get("global") or {}
    rows, left_out = [], dict[str, str]()
    for number, one in enumerate(said["scrape_configs"], 1):
        name = str(one.get("job_name", "")) if isinstance(one, dict) else ""
        try:
            if not name:
                raise Malformed("it has no job_name")
            rows.append(_job(one, usual if isinstance(usual, dict) else {}, folder))
        except Malformed as error:
            left_out[name or f"job {number}"] = error.detail
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            left_out[name or f"job {number}"] = f"it has not the form that Prometheus asks for: {error}"
    return rows, left_out


def _job(said: Mapping[str, Any], usual: Mapping[str, Any], folder: str) -> Fields:
    unknown = [k for k, v in said.items() if k not in _KNOWN and not (k in _ANYWAY and _ANYWAY[k] == v)]
    if unknown:
        raise Malformed(f"{', '.join(sorted(unknown))}: cannot be taken over")
    interval = _seconds(said.get("scrape_interval", usual.get("scrape_interval", "1m")))
    timeout = _seconds(said.get("scrape_timeout", usual.get("scrape_timeout", "10s")))
    row: Fields = {own: said[name] for name, own in _PLAIN.items() if name in said}
    row |= {"interval": interval, "timeout": min(timeout, interval), **_credentials(said)}
    if said.get("sample_limit"):
        row["sample_limit"] = said["sample_limit"]
    row["params"] = {
        name: _only(f"params.{name}", values) for name, values in (said.get("params") or {}).items()
    }
    row["files"] = [
        str(PurePosixPath(folder, f)) for sd in said.get("file_sd_configs") or () for f in sd["files"]
    ]
    if found := said.get("http_sd_configs"):
        one = _only("http_sd_configs", found)
        if more := sorted(one.keys() - {"url", "refresh_interval"}):
            raise Malformed(f"http_sd_configs: {', '.join(more)}: cannot be taken over")
        row["discovery_url"] = one["url"]
    given = list(said.get("static_configs") or ())
    secure = said.get("scheme") == "https"
    row["targets"] = [_with_port(t, secure) for group in given for t in group.get("targets") or ()]
    own_rules = [*_of_groups(given, secure), *(said.get("relabel_configs") or ())]
    for name, rules in zip(_RULES, (own_rules, said.get("metric_relabel_configs") or []), strict=True):
        row[name] = yaml.safe_dump(list(rules), allow_unicode=True, sort_keys=False) if rules else ""
    return row


def _of_groups(given: list[Mapping[str, Any]], secure: bool) -> Iterator[Fields]:
    """Rules that give the targets of each group its labels."""
    for group in given:
        targets = [re.escape(_with_port(t, secure)) for t in group.get("targets") or ()]
        for start in range(0, len(targets), _IN_ONE_RULE):
            among = "|".join(targets[start : start + _IN_ONE_RULE])
            for name, value in (group.get("labels") or {}).items():
                yield {"source_labels": ["__address__"], "regex": among, "target_label": name,
                       "replacement": str(value).replace("$", "$$")}  # fmt: skip


def _credentials(said: Mapping[str, Any]) -> Fields:
    row: Fields = {}
    basic, bearer = dict(said.get("basic_auth") or {}), dict(said.get("authorization") or {})
    tls = dict(said.get("tls_config") or {})
    row["user"], row["password"] = basic.pop("username", ""), basic.pop("password", "")
    if bearer.pop("type", "Bearer") != "Bearer":
        raise Malformed("authorization.type: only Bearer can be taken over")
    row["bearer"] = bearer.pop("credentials", said.get("bearer_token", ""))
    row["verify"], row["authority"] = not tls.pop("insecure_skip_verify", False), tls.pop("ca", "")
    left = {"basic_auth": basic, "authorization": bearer, "tls_config": tls}
    if more := [f"{name}.{part}" for name, parts in left.items() for part in parts]:
        raise Malformed(f"{', '.join(more)}: cannot be taken over")
    return {name: value for name, value in row.items() if value != ""}


def _only(name: str, values: Any) -> Any:
    if not isinstance(values, list) or len(values) != 1:
        raise Malformed(f"{name}: only one can be taken over")
    return values[0]


def _with_port(target: str, secure: bool) -> str:
    return target if re.search(r":\d+$", target) else f"{target}:{443 if secure else 80}"


def _seconds(text: Any) -> float:
    """
    >>> _seconds("1m30s"), _seconds("500ms")
    (90.0, 0.5)
    """
    parts = _DURATION.findall(str(text))
    if not parts or "".join(n + unit for n, unit in parts) != str(text):
        raise Malformed(f"{str(text)[:50]!r} is no duration such as 15s")
    return float(sum(int(n) * _UNITS[unit] for n, unit in parts))
