"""`watchkeeper intake-key create|list|revoke`: who may send signals."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from watchkeeper.cli.django_ready import begin

commands = typer.Typer(help="Keys with which signals are sent in.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="What people will call it.")],
    door: Annotated[list[str] | None, typer.Option(help="Only for this door; may be repeated.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Only from this network, such as 10.0.0.0/8.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Rows a second at most; 0 is no limit.", min=0)] = 0.0,
    series: Annotated[
        int, typer.Option(help="New metric series in six hours at most; 0 is no limit.", min=0, max=1_000_000)
    ] = 0,
    as_json: Json = False,
) -> None:
    """Make a key and print its secret alone: it is not kept and cannot be shown again."""
    begin()
    from watchkeeper.domains import identity
    from watchkeeper.model.errors import WatchkeeperError

    try:
        secret = identity.create_intake_key(
            name, doors=door or (), networks=network or (), rate=rate, series=series
        )
    except WatchkeeperError as error:
        typer.echo(f"watchkeeper: {error.detail}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps({"name": name, "secret": secret}) if as_json else secret)


@commands.command("list")
def list_keys(as_json: Json = False) -> None:
    """The keys, without their secrets."""
    begin()
    from watchkeeper.domains.identity.models import IntakeKey

    rows = [
        {
            "name": k.name,
            "begins": k.prefix,
            "doors": k.doors,
            "networks": k.networks,
            "revoked": bool(k.revoked_at),
        }
        for k in IntakeKey.objects.all()
    ]
    if as_json:
        return typer.echo(json.dumps(rows))
    for row in rows:
        limits = ", ".join([*row["doors"], *row["networks"]]) or "every door, from anywhere"
        typer.echo(f"{row['name']:<24} {row['begins']}…  {'revoked' if row['revoked'] else limits}")


@commands.command()
def revoke(name: Annotated[str, typer.Argument()]) -> None:
    """Take a key back; the doors refuse it within seconds."""
    begin()
    from watchkeeper.domains.identity import keys
    from watchkeeper.domains.identity.models import IntakeKey
    from watchkeeper.kernel import audit

    key = IntakeKey.objects.filter(name=name, revoked_at=None).first()
    if key is None:
        typer.echo(f"watchkeeper: there is no intake key {name!r} in use", err=True)
        raise typer.Exit(1)
    keys.revoke(key)
    audit.record(keys.command_actor(), "intake-key.revoke", key)
