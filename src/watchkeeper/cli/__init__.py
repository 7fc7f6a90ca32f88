"""The command line: one command a file. Modules import what is heavy inside their functions, so that `--help`
and the lab start at once."""

from __future__ import annotations

import typer


def build() -> typer.Typer:
    """The whole tree of commands except `serve`, which app adds."""
    from watchkeeper.cli import (
        apply,
        audit,
        backup,
        demo,
        doctor,
        exchange,
        intake_key,
        inventory,
        jobs,
        logs,
        passwords,
        records,
        replay,
        retention,
        rules,
        scrape_jobs,
        search,
        status,
        token,
    )

    root = typer.Typer(
        name="watchkeeper",
        help="One open system for running IT operations: signals in, explained situations out.",
        no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False,
    )  # fmt: skip
    root.command("demo")(demo.demo)
    root.command("replay")(replay.replay)
    root.command("status")(status.status)
    root.command("doctor")(doctor.doctor)
    for command in (
        records.get, records.show, records.create, records.edit, records.delete, records.do, exchange.export, jobs.follow,
        apply.apply, apply.diff,
    ):  # fmt: skip
        root.command(command.__name__)(command)
    root.command("import")(exchange.import_)
    root.command("backup")(backup.backup)
    root.command("restore")(backup.restore)
    root.command("retention")(retention.retention)
    root.command("search")(search.search)
    root.command("logs")(logs.logs)
    root.add_typer(intake_key.commands, name="intake-key")
    root.add_typer(token.commands, name="token")
    root.add_typer(passwords.commands, name="passwords")
    root.add_typer(audit.commands, name="audit")
    root.add_typer(inventory.commands, name="inventory")
    root.add_typer(rules.commands, name="rules")
    root.add_typer(scrape_jobs.commands, name="scrape-jobs")
    root.add_typer(_lab(), name="lab")
    return root


def _lab() -> typer.Typer:
    from watchkeeper.cli import lab_cause, lab_correlate, lab_detect, lab_forecast, lab_templates

    lab = typer.Typer(help="The methods of the pipeline, offline, on files.", no_args_is_help=True)
    lab.command("detect")(lab_detect.detect)
    lab.command("templates")(lab_templates.templates)
    lab.command("correlate")(lab_correlate.correlate)
    lab.command("cause")(lab_cause.cause)
    lab.command("forecast")(lab_forecast.forecast)
    return lab
