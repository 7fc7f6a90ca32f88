"""`watchkeeper token create|list|revoke`: who may call the API."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from watchkeeper.cli.django_ready import begin

commands = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="What people will call it.")],
    scope: Annotated[str, typer.Option(help="admin, write, read or scim.")] = "admin",
    network: Annotated[list[str] | None, typer.Option(help="From where only, such as 10.0.0.0/8.")] = None,
    days: Annotated[float, typer.Option(help="Days until it ends; 0 is never.", min=0)] = 0.0,
    as_json: Json = False,
) -> None:
    """Make a token and print its secret alone: it is not kept and cannot be shown again."""
    begin()
    import datetime as dt

    from watchkeeper.domains import identity
    from watchkeeper.model.errors import WatchkeeperError

    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None
    try:
        secret = identity.create_token(name, scope, expires_at=ends, networks=network or ())
    except WatchkeeperError as error:
        typer.echo(f"watchkeeper: {error.detail}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps({"name": name, "scope": scope, "secret": secret}) if as_json else secret)


@commands.command("list")
def list_tokens(as_json: Json = False) -> None:
    """The tokens, without their secrets."""
    begin()
    from watchkeeper.domains.identity.models import ApiToken

    rows = [
        {"id": t.pk, "name": t.name, "begins": t.prefix, "scope": t.scope_word, "revoked": bool(t.revoked_at),
         "last_used": t.last_used_at and t.last_used_at.isoformat()}
        for t in ApiToken.objects.all()
    ]  # fmt: skip
    if as_json:
        return typer.echo(json.dumps(rows))
    for row in rows:
        state = "revoked" if row["revoked"] else f"last used {row['last_used'] or 'never'}"
        typer.echo(f"{row['id']:>4}  {row['name']:<24} {row['begins']}…  {row['scope']:<6} {state}")


@commands.command()
def revoke(
    number: Annotated[int, typer.Argument(help="Its number, as `watchkeeper token list` shows it.")],
) -> None:
    """Take a token back."""
    begin()
    from watchkeeper.domains.identity import keys
    from watchkeeper.domains.identity.models import ApiToken
    from watchkeeper.kernel import audit

    token = ApiToken.objects.filter(pk=number, revoked_at=None).first()
    if token is None:
        typer.echo(f"watchkeeper: there is no token {number} in use", err=True)
        raise typer.Exit(1)
    keys.revoke(token)
    audit.record(keys.command_actor(), "token.revoke", token)
