"""Files with secrets: the admin's token, the code of the one-time link, and how such files are written (mode 600)."""

import os
import secrets
from pathlib import Path

from facility.errors import refuse
from plantroom.settings import Settings

OWNER_ONLY, GROUP_READS, ALL_READ = 0o600, 0o640, 0o644


def write_new(path: Path, content: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a file that is not there yet, with exactly this mode, whatever the umask. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a file in the place of another, whole or not at all; an old one's group is kept."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    write_new(fresh, content, mode)
    if path.exists():
        os.chown(fresh, -1, path.stat().st_gid)
    fresh.replace(path)


def admin_token(settings: Settings) -> str:
    """The token of the setting, or the one in `var/token`, made at the first start (mode 600)."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    path = settings.token_file
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".token.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(fresh, path)  # whole or not at all, also when two start at once
    except FileExistsError:
        return _read(path)
    finally:
        fresh.unlink()
    return _read(path)


def _read(path: Path) -> str:
    token = path.read_text(encoding="ascii").strip()
    if len(token) < 32:
        raise refuse(str(path), "holds no usable token", "Delete the file and start again; a new one is made.")
    return token


def make_once_code(once_file: Path) -> str:
    """A new code for the one-time link; the one before is worth nothing any more. Readable by the owner only."""
    code = secrets.token_urlsafe(24)
    once_file.unlink(missing_ok=True)
    once_file.touch(mode=0o600)
    once_file.write_text(code, encoding="ascii")
    return code
