"""From the site files in the journal to the directory of the plant."""

from functools import lru_cache

from facility.registry import Registry
from facility.site_file import parse_site


@lru_cache(maxsize=8)
def read_directory(files: tuple[tuple[str, str], ...]) -> Registry:
    """The registry of some site files (name, text); the same files are not parsed twice in one process. Raises
    InputError."""
    return Registry.merge(parse_site(text, name) for name, text in files)
