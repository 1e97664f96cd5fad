"""`plantroom devices`: the inbox of the running program, and approval by a command."""

import json
import shlex
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from facility.errors import PermanentError, RetryableError
from plantroom.secret_files import admin_token
from plantroom.settings import Settings, load_settings

_SECONDS = 10.0


def ask(settings: Settings, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
    """The running program's answer. Raises RetryableError when it does not answer, PermanentError when it refuses."""
    url = f"http://{settings.http_host}:{settings.http_port}{path}"
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": f"Bearer {admin_token(settings)}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http and our own address
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        try:
            detail = json.loads(error.read())["detail"]
            said = f"{detail['what']} {detail['hint']}".strip()
        except (ValueError, KeyError, TypeError):
            said = f"{error.code} {error.reason}"
        raise PermanentError(said) from error
    except (urllib.error.URLError, OSError) as error:
        msg = f"nothing answers at {url}: {error}; start `plantroom run`, or name its --port and --var"
        raise RetryableError(msg) from error


def lines_of(devices: list[dict[str, Any]], flags: str = "") -> list[str]:
    """For people: each device, what it likely is, and the command that approves it, with the same `flags`."""
    lines = []
    for device in devices:
        lines.append(f"{device['topic']}  ({device['dialect'] or '?'}, {device['messages']} messages)")
        for point in device["points"]:
            unit = f" in {point['unit']}" if point["unit"] else ""
            to = f"{point['point']}{unit}, {point['score']:.0%}" if point["point"] else "?"
            lines.append(f"    {point['name']} = {point['value']!r}  ->  {to}")
        if device["known_asset"]:
            lines.append(f"    Add these points to {device['known_asset']} in your site file.")
        else:
            call = f"--asset {device['asset_id']} --class {device['equipment_class']}"
            lines.append(f"    plantroom devices {flags}approve {shlex.quote(device['topic'])} {call}")
    return lines or ["The inbox is empty: every device that speaks is in a site file."]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Devices that speak and are in no site file.", invoke_without_command=True)
    app.add_typer(group, name="devices")
    console = Console(highlight=False, markup=False, soft_wrap=True)

    @group.callback()
    def devices(
        context: typer.Context,
        port: Annotated[int | None, typer.Option(help="Port of the running program's pages.")] = None,
        var: Annotated[Path | None, typer.Option(help="Its folder, for its token.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False,  # noqa: FBT002 - Typer's way to declare a flag
    ) -> None:
        """List devices that speak and are in no site file, with what they likely are."""
        context.obj = load_settings(http_port=port, var=var)
        if context.invoked_subcommand is None:
            found = ask(context.obj, "/api/devices")
            given = (("--port", port), ("--var", var))
            flags = "".join(f"{name} {shlex.quote(str(value))} " for name, value in given if value is not None)
            for line in [json.dumps(found, ensure_ascii=False, indent=2)] if as_json else lines_of(found, flags):
                console.print(line)

    @group.command()
    def approve(
        context: typer.Context,
        topic: Annotated[str, typer.Argument(help="The device's topic, as the list shows it.")],
        asset: Annotated[str, typer.Option(help="Id it gets.")],
        class_: Annotated[str, typer.Option("--class", help="Its equipment class.")],
        building: Annotated[str, typer.Option(help="Building; default the proposed one.")] = "",
        name: Annotated[str, typer.Option(help="Name for people; default the id.")] = "",
        point: Annotated[
            list[str] | None, typer.Option(help="NAME=POINT, once for each; default the proposed ones.")
        ] = None,
    ) -> None:
        """Add a device to the site as an asset; it is watched from its next message on."""
        pairs = [one.rpartition("=") for one in point or ()]
        if any(not left or not right for left, _, right in pairs):
            msg = "--point is NAME=POINT, such as --point temperature=zone_air_temperature"
            raise PermanentError(msg)
        body = {"topic": topic, "asset_id": asset, "equipment_class": class_, "building_id": building, "name": name}
        found = ask(context.obj, "/api/devices/approve", body | {"points": {left: right for left, _, right in pairs}})
        console.print(f"{found['asset_id']}: written to {found['file']}; in force in a moment")

    @group.command()
    def forget(
        context: typer.Context,
        topic: Annotated[str, typer.Argument(help="The device's topic, as the list shows it.")],
    ) -> None:
        """Take a device out of the inbox; its next message brings it back."""
        ask(context.obj, "/api/devices/forget", {"topic": topic})
        console.print(f"{topic}: taken out")
