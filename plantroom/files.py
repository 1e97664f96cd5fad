"""Files the program reads for people and writes for itself."""

import os
from collections.abc import Iterable
from pathlib import Path

from facility.errors import InputError, Problem


def write_atomically(path: Path, data: bytes) -> None:
    """Write so that a reader sees the old file or the new one, whole, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_texts(paths: Iterable[Path], noun: str) -> dict[str, str]:
    """File path -> text, of files or of every `.yaml` in a folder. Raises InputError for what cannot be read."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        members = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
        if not members:
            problems.append(Problem(str(path), f"holds no {noun} file (*.yaml)", "Name another folder or add one."))
        for member in members:
            try:
                texts[str(member)] = member.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                problems.append(Problem(str(member), f"cannot be read: {reason}", f"Name an existing {noun} file."))
    if problems:
        raise InputError(problems)
    return texts
