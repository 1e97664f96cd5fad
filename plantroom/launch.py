"""Starts the whole program on this machine: broker, ingest, engine with web, and what else is asked for."""

import errno
import re
import socket
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError

import structlog
from rich.console import Console

from facility.errors import PermanentError, refuse
from ingest.journal import JournalReader
from plantroom.backup.unfinished import refuse_unfinished
from plantroom.clocks import check_same_time, start_scaled
from plantroom.lifeline import stop_event
from plantroom.listen import check_password, listens_on
from plantroom.lock import InstanceLock
from plantroom.part import Role, format_roles, parse_processes
from plantroom.secret_files import admin_token, make_once_code
from plantroom.settings import ClockKind, Mode, Settings
from plantroom.shard import Shard
from plantroom.supervisor import ProcessSpec, Supervisor

log = structlog.get_logger(__name__)
PORTS_TRIED = 50


def free_port(host: str, wanted: int, setting: str, *, fixed: bool) -> int:
    """`wanted` when it is free, else the next free one after it; with `fixed`, refuse instead."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if fixed or error.errno == errno.EADDRNOTAVAIL:
                    hint = f"Stop what uses it, or choose another one with {setting}."
                    if error.errno == errno.EADDRNOTAVAIL:
                        hint = "It is no address of this machine: `ip address` or `ifconfig` lists them."
                    raise refuse(f"{host}:{port}", f"cannot be listened on: {error.strerror}", hint) from error
            else:
                return int(probe.getsockname()[1])
    raise refuse(f"{host}:{wanted}", f"no port of the next {PORTS_TRIED} is free", f"Choose another with {setting}.")


def newest_us(settings: Settings) -> int | None:
    """The instant of the newest commit of any journal; None when there is none yet."""
    found = [at_us for shard in settings.all_shards if (at_us := _newest_us(shard)) is not None]
    return max(found, default=None)


def _newest_us(shard: Shard) -> int | None:
    if not shard.journal_folder.exists():
        return None
    reader = JournalReader(shard.journal_folder)
    try:
        commits = reader.read(max(0, reader.last_seq() - 1), 1)
    finally:
        reader.close()
    return commits[-1].arrived_us if commits else None


def launch(
    settings: Settings,
    *,
    first_us: int = 0,
    extra: Sequence[Callable[[Settings], ProcessSpec]] = (),
    started: Callable[[Settings], None] | None = None,
) -> None:
    """Start everything, say where it is, keep it running until SIGINT or SIGTERM, end it all.

    `first_us` is where simulated time begins at the very first start. `extra` processes start last, when the rest
    is ready. `started` is called then; without it the address and the token's file are printed.
    """
    check_files_given(settings)
    stop = stop_event()
    make_folder(settings.var)
    with InstanceLock(settings.var):
        refuse_unfinished(settings.var)
        check_same_time(settings)
        check_ports(settings)
        admin_token(settings)
        if settings.clock is ClockKind.SCALED:
            start_scaled(settings, first_us, newest_us(settings))
        supervisor = Supervisor([*stages_of(settings), [make(settings) for make in extra]], settings.var / "run", stop)
        try:
            supervisor.start()
            if not stop.is_set():
                (started or announce)(settings)
            supervisor.run()
        finally:
            supervisor.end()


def make_folder(folder: Path) -> None:
    """Make the folder for what the program writes. Raises InputError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        hint = "Name a folder you may write to with --var."
        raise refuse(str(folder), f"cannot be written: {error.strerror}", hint) from error


def check_ports(settings: Settings) -> None:
    """Raises InputError for a port that another program has (its broker would be taken for ours), and for a broker
    that would be open without a password."""
    if settings.mode is Mode.EMBEDDED:
        check_password(settings)
        free_port(listens_on(settings), settings.mqtt_port, "--mqtt-port", fixed=True)
    if settings.http_port:
        free_port(settings.http_host, settings.http_port, "--http-port", fixed=True)


def announce(settings: Settings, more: Sequence[str] = ()) -> None:
    """Print where the pages and the broker are, a link that lets the reader in once, where the token is, and `more`."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    address = f"http://{_shown(settings.http_host)}:{settings.http_port}/"
    console.print(f"Pages    {address}")
    console.print(f"Sign in  {address}enter/{make_once_code(settings.once_file)}  (works once)")
    console.print(f"Broker   mqtt://{_shown(settings.mqtt_host)}:{settings.mqtt_port}")
    if settings.token is None:
        console.print(f"Token    {settings.token_file.resolve()}")
    for line in more:
        console.print(line)
    console.print("Ctrl-C ends it.")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def stages_of(settings: Settings) -> list[list[ProcessSpec]]:
    """The broker first; then ingest and engine of every shard, and what else the plant has, beside each other."""
    environment = settings.environment()
    # One port, and it is ingest's: what the others count stands on the pages' own /metrics.
    silent = {**environment, "PLANTROOM_METRICS_PORT": "0"}
    broker = ProcessSpec("broker", ["run", "--role", "broker"], environment, _listening(settings))
    others: list[ProcessSpec] = []
    processes = parse_processes(settings.processes)
    for parts in processes:
        roles = format_roles(parts)
        name = _numbered(roles.split(",")[0], others)
        mine = environment if Role.INGEST in parts else silent
        others.append(ProcessSpec(name, ["run", "--role", roles], mine, _is_ready(settings, parts)))
    for shard in settings.all_shards:
        shard.listening_file.unlink(missing_ok=True)
    for shard in settings.all_shards[1:]:
        for role in (Role.INGEST, Role.ENGINE):  # as many that stand by as the first shard has
            work = ["run", "--role", role, "--shard", shard.name]
            ready = shard.listening_file.exists if role is Role.INGEST else lambda: True
            for _ in range(sum(role in parts for parts in processes)):
                others.append(ProcessSpec(_numbered(f"{role}-{shard.name}", others), work, silent, ready))
    return [[broker], others] if settings.mode is Mode.EMBEDDED else [others]


def _numbered(name: str, before: Sequence[ProcessSpec]) -> str:
    """`engine`, and of a second one `engine-2`."""
    same = sum(re.fullmatch(rf"{name}(-\d+)?", one.name) is not None for one in before)
    return name if not same else f"{name}-{same + 1}"


def _is_ready(settings: Settings, parts: frozenset[Role]) -> Callable[[], bool]:
    """Of several with ingest or with pages one does the work: all count as ready when it is done."""
    if Role.INGEST in parts:
        return settings.main.listening_file.exists
    return _answers(settings) if Role.WEB in parts else lambda: True


def _listening(settings: Settings) -> Callable[[], bool]:
    def check() -> bool:
        try:
            with socket.create_connection((settings.mqtt_host, settings.mqtt_port), timeout=1):
                return True
        except OSError:
            return False

    return check


def _answers(settings: Settings) -> Callable[[], bool]:
    url = f"http://{_shown(settings.http_host)}:{settings.http_port}/readyz"

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    return check


def check_files_given(settings: Settings) -> None:
    """Raise when no site file is set: there is nothing to watch."""
    if not settings.site:
        msg = "no site file is set; start from `plantroom init`, then set PLANTROOM_SITE or --site"
        raise PermanentError(msg)
