"""The Parquet store copied while its process writes, merges and thins parts."""

from collections.abc import Iterable
from pathlib import Path

from ingest.stores.parts import parse_part
from plantroom.backup.copying import Copier

_TRIES = 20


def copy_store(source: Path, path: str, copier: Copier) -> None:
    """The cursor first, then every part: a part that ends later is written again from the journal to the same.

    Parts that were merged or thinned away meanwhile are looked for again, until all that were there at one look are
    copied. Raises OSError.
    """
    for other in _others(source):
        copier.take(source / other, f"{path}/{other}")
    copied: set[Path] = set()
    for left in reversed(range(_TRIES)):
        missing = _parts(source) - copied
        gone = 0
        for part in sorted(missing):
            try:
                copier.take(source / part, f"{path}/{part}")
                copied.add(part)
            except FileNotFoundError:
                gone += 1
        if not gone:
            break
        if not left:
            msg = f"{source} changed at every look"
            raise OSError(msg)
    for part in copied - _parts(source):  # what covers it was copied in a later look, or is at the next one
        if any(_covered(part, other) for other in copied):
            copier.forget(f"{path}/{part}")


def _others(source: Path) -> Iterable[Path]:
    return sorted(
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and parse_part(path) is None and not path.name.endswith(".tmp")
    )


def _parts(source: Path) -> set[Path]:
    found = set()
    for path in source.glob("day=*/part-*.parquet"):
        try:
            if parse_part(path) is not None:
                found.add(path.relative_to(source))
        except FileNotFoundError:
            continue
    return found


def _covered(part: Path, other: Path) -> bool:
    if part == other or part.parent != other.parent:
        return False
    first, last = part.stem.split("-")[1:]
    other_first, other_last = other.stem.split("-")[1:]
    return int(other_first) <= int(first) and int(last) <= int(other_last)
