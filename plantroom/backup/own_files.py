"""The files people wrote for an instance, and its settings, without what is secret."""

from pathlib import Path

from pydantic import SecretStr

from plantroom.backup.copying import Copier
from plantroom.backup.manifest import FILES, SETTINGS_FILE, OwnFile
from plantroom.roster_secrets import hide, is_readable
from plantroom.settings import Settings

_SETTINGS = ("site", "contract", "roster", "rules", "manuals", "mqtt_ca_file")
_SECRET_FILES = ("oidc_client_secret_file",)
_UNREADABLE = (
    "# The roster was no YAML at the time of the backup, so nobody could tell what is secret in it: left out.\n"
)


def named_paths(settings: Settings, *, with_secrets: bool) -> list[tuple[str, Path]]:
    """(setting, path) of every file or folder a setting names, in order."""
    found = []
    for name in (*_SETTINGS, *(_SECRET_FILES if with_secrets else ())):
        value = getattr(settings, name)
        paths = value if isinstance(value, tuple) else () if value is None else (value,)
        found += [(name, path) for path in paths]
    return found


def hidden_roster(settings: Settings) -> tuple[str, int]:
    """The roster with labels for the addresses and secrets in it, and how many; empty without a roster."""
    if settings.roster is None or not settings.roster.is_file():
        return "", 0
    text = settings.roster.read_text(encoding="utf-8")
    if not is_readable(text):
        return _UNREADABLE, 1
    shown, labels = hide(text)
    return shown, len(labels)


def copy_own(settings: Settings, folder: Path, copier: Copier, *, with_secrets: bool) -> tuple[OwnFile, ...]:
    """Copy what settings name outside `var` (the rest lies in it), and the settings. Raises OSError."""
    var, own = settings.var.resolve(), []
    left_out = frozenset() if with_secrets else settings.secret_files()
    for number, (setting, path) in enumerate(named_paths(settings, with_secrets=with_secrets)):
        if path.resolve().is_relative_to(var) or not path.exists():
            continue
        place = f"{FILES}/{number}-{setting}/{path.name}"
        own.append(OwnFile(setting, str(path.resolve()), place))
        for source in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if source.is_file() and source.resolve() not in left_out:
                inside = f"/{source.relative_to(path)}" if path.is_dir() else ""
                copier.take(source, place + inside)
        if setting == "roster" and not with_secrets:
            text, count = hidden_roster(settings)
            if count:
                copier.forget(place)
                (folder / place).write_text(text, encoding="utf-8")
                copier.note(place)
    (folder / SETTINGS_FILE).write_text(settings_text(settings, with_secrets=with_secrets), encoding="utf-8")
    copier.note(SETTINGS_FILE)
    return tuple(own)


def settings_text(settings: Settings, *, with_secrets: bool) -> str:
    """The settings that are not the defaults, as a `.env` file; of a secret only that it was set."""
    lines = ["# The settings at the time of the backup. What is secret is not here unless it was asked for."]
    for name, text in settings.environment().items():
        field = name.removeprefix("PLANTROOM_").lower()
        value = getattr(settings, field)
        if value == type(settings).model_fields[field].default:
            continue
        is_hidden = isinstance(value, SecretStr) and not with_secrets
        lines.append(f"# {name}=  (it was set; give it again)" if is_hidden else f"{name}={text}")
    return "\n".join(lines) + "\n"
