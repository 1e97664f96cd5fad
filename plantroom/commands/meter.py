"""`plantroom meter`: what the meters of assets show, which visits by meter are due by."""

from typing import Annotated

import typer

from facility.errors import refuse
from facility.fields import unknown
from facility.registry import Registry
from plantroom.service_office import done_or_refused, local, service_office, show
from ticketing.meter_rows import newest_value, read_off

Asset = Annotated[str, typer.Argument(help="Id of the asset.")]
Meter = Annotated[str, typer.Argument(help="Name of the meter, such as run_hours.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Meters of assets.", no_args_is_help=True)
    app.add_typer(group, name="meter")

    @group.callback()
    def _root() -> None:
        """Meters of assets."""

    @group.command("show")
    def show_(asset: Asset, meter: Meter) -> None:
        """Show what a meter showed last, read off by a person or by telemetry."""
        with service_office() as office, office.database.reading() as session:
            found = newest_value(session, _known(office.registry, asset), meter)
        show(asset, meter, f"{found.value:g}" if found is not None else "never read", local(found.at) if found else "")

    @group.command()
    def read(
        asset: Asset,
        meter: Meter,
        value: Annotated[float, typer.Argument(help="What it shows.")],
        by: Annotated[str, typer.Option(help="Who read it.")],
        *,
        reset: Annotated[bool, typer.Option("--reset", help="It was changed or set back, and may show less.")] = False,
    ) -> None:
        """Keep what a meter shows now."""
        with service_office() as office, office.database.writing() as session:
            asset_id = _known(office.registry, asset)
            shown = done_or_refused(read_off(session, asset_id, meter, value, office.now, by, reset=reset))
        show(asset, meter, f"{shown.value:g}", local(shown.at))


def _known(registry: Registry, asset_id: str) -> str:
    if asset_id not in registry.assets:
        raise refuse(
            "ASSET", unknown("asset", asset_id, registry.assets), "Write the id of an asset in the site files."
        )
    return asset_id
