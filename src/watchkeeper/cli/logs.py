"""`watchkeeper logs QUERY`: the log lines that match, and with --follow those that arrive."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import typer

from watchkeeper.cli import running
from watchkeeper.cli.django_ready import begin
from watchkeeper.cli.kinds import Json

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(
    query: Annotated[
        list[str] | None, typer.Argument(help="As on the logs page, such as host:web-* timeout.")
    ] = None,
    since: Annotated[str, typer.Option(help="How far back: 90s, 15m, 1h, 7d.")] = "1h",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with lines as they arrive.")] = False,
    as_json: Json = False,
) -> None:
    """Print log lines of the running platform, the oldest first."""
    words = " ".join(query or ())
    seconds = _seconds(since)
    begin()
    import time

    try:
        with _address() as (url, token):
            start = int(time.time() * 1000) - seconds * 1000
            asked = urlencode({"q": words, "from": start, "limit": limit})
            after = ""
            if follow:  # before the lines are read, so that none is missed between
                with _open(f"{url}/api/logs/tail/?{urlencode({'q': words})}", token) as stream:
                    after = next(number for number, _ in _events(stream))
            with _open(f"{url}/api/logs/?{asked}", token) as answer:
                found = json.load(answer)["results"]
            seen = {line["id"] for line in found}
            for line in reversed(found):
                _print(line, as_json)
            while follow:
                after = _tail(
                    f"{url}/api/logs/tail/?{urlencode({'q': words, 'after': after})}",
                    token,
                    after,
                    seen,
                    as_json,
                )
    except HTTPError as error:
        said = json.loads(error.read() or b"{}").get("detail", str(error))
        _failed(said)
    except URLError as error:
        _failed(f"the platform cannot be reached: {error.reason}. Does it run? (`watchkeeper status`)")
    except KeyboardInterrupt:
        return


def _tail(address: str, token: str, after: str, seen: set[str], as_json: bool) -> str:
    """Print until the connection ends; where to go on."""
    with _open(address, token) as stream:
        for number, data in _events(stream):
            after = number or after
            for line in data.get("lines", ()):
                if line["id"] not in seen:
                    _print(line, as_json)
            if data.get("skipped"):
                typer.echo(f"… {data['skipped']} lines left out because they came too fast", err=True)
            sys.stdout.flush()
    return after


def _events(stream: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and data of each event."""
    number = ""
    for raw in stream:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = value
        elif name == "data":
            yield number, json.loads(value)


@contextmanager
def _address() -> Iterator[tuple[str, str]]:
    """Where the platform is, and a token that lives as long as the command."""
    import datetime as dt
    import secrets

    from django.conf import settings

    from watchkeeper.domains import identity
    from watchkeeper.domains.identity import keys
    from watchkeeper.domains.identity.models import ApiToken

    name = f"watchkeeper logs {secrets.token_hex(4)}"
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    secret = identity.create_token(name, "read", expires_at=ends)
    try:
        yield running.address(settings.CONFIG.data) or settings.CONFIG.public_url, secret
    finally:
        keys.revoke(ApiToken.objects.get(name=name))


def _open(address: str, token: str) -> Any:
    return urlopen(Request(address, headers={"Authorization": f"Bearer {token}"}), timeout=60)


def _print(line: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(line, ensure_ascii=False))
        return
    body = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", line["body"])  # what would steer the terminal
    typer.echo(
        f"{line['time']} {line['level']:<7} {line['host']} {line['service'] or line['source']}: {body}"
    )


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found or not int(found[1]):
        raise typer.BadParameter(
            f"{text!r} is no span of time such as 90s, 15m, 1h or 7d", param_hint="--since"
        )
    return int(found[1]) * _UNITS[found[2]]


def _failed(said: str) -> None:
    typer.echo(f"watchkeeper: {said}", err=True)
    raise typer.Exit(1)
