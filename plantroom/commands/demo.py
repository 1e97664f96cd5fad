"""`plantroom demo`: the whole system on embedded parts, with a simulated building that breaks on schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from facility.clock import RealClock
from plantroom.files import write_atomically
from plantroom.launch import announce, free_port, launch, make_folder
from plantroom.listen import DEVICE_USER, device_password, invitation, parse_listen
from plantroom.logs import set_up_logs
from plantroom.secret_files import admin_token
from plantroom.settings import ClockKind, Mode, Settings, StoreKind, load_settings
from plantroom.supervisor import ProcessSpec
from simulators.scenario import parse_scenario

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Opening:
    """What is open to the local network: the broker on `broker`, the pages on `pages`; None is this machine only."""

    broker: str | None = None
    pages: str | None = None


def open_to_network(var: Path | None, opening: Opening) -> tuple[dict[str, object], bool]:
    """The settings of an opening, with the secrets that are kept in `var`; whether a password was made just now."""
    given = load_settings(var=var)
    found: dict[str, object] = {}
    is_new = False
    if opening.broker is not None:
        make_folder(given.var)
        host = parse_listen(opening.broker)
        found["mqtt_listen"] = host
        found["mqtt_host"] = host if not ip_address(host).is_unspecified else "::1" if ":" in host else _LOOPBACK
        if given.mqtt_password is None:
            password, is_new = device_password(given.device_password_file)
            found |= {"mqtt_user": given.mqtt_user or DEVICE_USER, "mqtt_password": password}
    if opening.pages is not None:
        make_folder(given.var)
        found |= {"http_host": parse_listen(opening.pages, "--listen-pages"), "token": admin_token(given)}
    return found, is_new


def own_files(shipped: Path, var: Path) -> Path:
    """The folder with the demo's files as this instance has them: copied once, so that whoever edits them changes none
    of the program's own."""
    folder = var / "demo"
    make_folder(folder)
    for name in ("site.yaml", "contract.yaml", "roster.yaml"):
        if not (folder / name).exists():
            write_atomically(folder / name, (shipped / name).read_bytes())
    return folder


def demo_settings(
    var: Path | None, http_port: int, mqtt_port: int, speed: float, folder: Path, opened: Mapping[str, object]
) -> Settings:
    """Embedded parts and simulated time, on loopback but for what is `opened`. The demo building's files are copies of
    those shipped in `folder`."""
    given = load_settings(var=var)
    own = own_files(folder, given.var)
    hosts = {"http_host": _LOOPBACK, "mqtt_host": _LOOPBACK, **opened}
    listen = str(hosts.get("mqtt_listen", _LOOPBACK))
    return load_settings(
        mode=Mode.EMBEDDED,
        var=var,
        site=(own / "site.yaml",),
        contract=(own / "contract.yaml",),
        roster=given.roster or own / "roster.yaml",
        clock=ClockKind.SCALED,
        clock_factor=speed,
        store=StoreKind.PARQUET,
        http_port=free_port(str(hosts["http_host"]), http_port, "--port", fixed=False),
        mqtt_port=free_port(listen, mqtt_port, "--mqtt-port", fixed=False),
        **hosts,
    )


def fast(speed: float) -> list[str]:
    """What whoever watches should know of a clock that runs ahead, in both languages."""
    if speed <= 1:
        return []
    return [
        f"Clock    {speed:g} times as fast, deadlines too: an order nobody takes is past its deadline within minutes",
        f"         时间快 {speed:g} 倍，时限也随之加快：无人接的工单几分钟内就会超时",
    ]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def demo(
        port: Annotated[
            int,
            typer.Option(envvar="PLANTROOM_HTTP_PORT", help="Port of the pages; the next free one when it is taken."),
        ] = 8600,
        mqtt_port: Annotated[
            int, typer.Option(envvar="PLANTROOM_MQTT_PORT", help="Port of the broker; the next free one when taken.")
        ] = 1883,
        speed: Annotated[float, typer.Option(help="Simulated seconds per second.")] = 60.0,
        var: Annotated[Path | None, typer.Option(help="Folder for everything it writes.")] = None,
        listen: Annotated[
            str | None,
            typer.Option(help="Address on which devices of the local network reach the broker, with a password."),
        ] = None,
        listen_pages: Annotated[
            str | None, typer.Option(help="Address of the pages beyond this machine, with the token; no TLS.")
        ] = None,
    ) -> None:
        """The whole system on embedded parts with a simulated building. Ctrl-C ends it; the next start goes on."""
        with as_file(files("plantroom") / "demo") as folder:
            given_token = load_settings(var=var).token
            opened, is_new = open_to_network(var, Opening(listen, listen_pages))
            settings = demo_settings(var, port, mqtt_port, speed, folder, opened)
            set_up_logs(settings, "plantroom")
            scenario_file = folder / "scenario.yaml"
            scenario = parse_scenario(scenario_file.read_text(encoding="utf-8"), str(scenario_file))

            def simulator(ready: Settings) -> ProcessSpec:
                arguments = ["simulate", str(scenario_file), "--follow-clock"]
                return ProcessSpec("simulators", arguments, ready.environment())

            def started(ready: Settings) -> None:
                more = invitation(ready, first=is_new) if listen is not None else []
                if listen_pages is not None and given_token is None:
                    more.append(f"Token    {ready.token_file.resolve()}")
                more += fast(speed)
                announce(ready, more)

            first_us = scenario.start_us or RealClock().now_us()
            launch(settings, first_us=first_us, extra=[simulator], started=started)
