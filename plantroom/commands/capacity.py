"""`plantroom capacity`: the disk, memory and load that so many points will need."""

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facility.errors import refuse
from facility.instant import parse_duration
from plantroom.backup.copying import format_bytes
from plantroom.settings import StoreKind, load_settings

_Json = Annotated[bool, typer.Option("--json", help="Print JSON; bytes and seconds.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def capacity(
        points: Annotated[int, typer.Option(help="Points of all buildings.")],
        cadence: Annotated[str, typer.Option(help="Mean time between two readings of a point, such as 60 s.")] = "60 s",
        months: Annotated[float, typer.Option(help="How long it is to last.")] = 12.0,
        per_message: Annotated[float, typer.Option(help="Readings in one message.")] = 5.0,
        orders: Annotated[
            float | None, typer.Option(help="Orders a month, all buildings; else one for 50 points.")
        ] = None,
        store: Annotated[StoreKind | None, typer.Option(help="Store of readings; else that of the settings.")] = None,
        backups: Annotated[int, typer.Option(help="Backups that are kept (--keep).")] = 14,
        as_json: _Json = False,  # noqa: FBT002 - a flag of Typer
    ) -> None:
        """Forecast sizes on disk, load and memory, and say what disk to buy. How long things are kept comes
        from the settings."""
        from plantroom.capacity import Plan, forecast  # noqa: PLC0415 - the stores are slow to load

        settings = load_settings(store=store)
        try:
            plan = Plan(
                points, parse_duration(cadence).total_seconds(), months, per_message,
                points / 50 if orders is None else orders, settings.keep_policy().longest(),
                settings.journal_keep_hours, settings.journal_max_gb * 1e9, settings.store is StoreKind.INFLUX, backups,
            )  # fmt: skip
        except ValueError as error:
            raise refuse("capacity", str(error), "Such as --points 1000 --cadence '60 s' --months 12.") from error
        found = forecast(plan)
        console = Console(highlight=False, markup=False, soft_wrap=True)
        if as_json:
            console.print(json.dumps({**dataclasses.asdict(found), "total_bytes": found.total_bytes}, indent=2))
            return
        table = Table("what", "how much", "why", box=None)
        kept = f"{found.journal_hours:,.0f} h of every message (PLANTROOM_JOURNAL_KEEP_HOURS, _MAX_GB)"
        rows = f"{found.store_rows:,.0f} readings (PLANTROOM_READINGS_RAW_DAYS and so on)"
        for row in (
            ("readings", f"{found.readings_a_second:,.1f} /s", f"{points:,} points every {cadence}"),
            ("messages", f"{found.messages_a_second:,.1f} /s", f"{per_message:g} readings in each"),
            ("journal", format_bytes(found.journal_bytes), kept),
            (f"store ({settings.store.value})", format_bytes(found.store_bytes), rows),
            ("database", format_bytes(found.database_bytes), f"{plan.orders_a_month:,.0f} orders a month"),
            ("together", format_bytes(found.total_bytes), f"after {months:g} months"),
            ("disk to buy", format_bytes(found.disk_bytes), "half as much again, and 10 GB"),
            ("backups, another disk", format_bytes(found.backup_bytes), f"{backups} of them, unchanged files linked"),
            ("memory", format_bytes(found.memory_bytes), "all processes; InfluxDB, PostgreSQL and Grafana beside it"),
        ):
            table.add_row(*row)
        console.print(table)
        for warning in found.warnings:
            console.print(f"note: {warning}")
