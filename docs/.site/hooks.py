"""What the documentation site adds to the pages of `docs`: the two pages of the repository's root that they link to,
and in its navigation every page of a folder that is named with a slash at its end."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md")
_INTO_DOCS = re.compile(r"\]\(docs/")
_OUT_OF_DOCS = re.compile(r"\]\(\.\./(" + "|".join(re.escape(name) for name in ROOT_PAGES) + r")(?=[)#])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages of whole folders: the list of the folder first, the others by name. Pages that are named nowhere
    come last, so that a new one is found before somebody has thought about its place."""
    docs = Path(config.docs_dir)
    nav = _named(config.nav, docs)
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md") if path.parent.name != "rules"}
    if rest := sorted(there - set(_pages(nav))):
        nav = [*nav, {"More": rest}]
    config.nav = nav
    return config


def _pages(item: Any) -> Iterator[str]:  # noqa: ANN401 - see `_named`
    if isinstance(item, str):
        yield item
    else:
        for inner in item.values() if isinstance(item, Mapping) else item:
            yield from _pages(inner)


def _named(item: Any, docs: Path) -> Any:  # noqa: ANN401 - a navigation is lists, mappings and texts in each other
    if isinstance(item, Mapping):
        return {title: _named(inner, docs) for title, inner in item.items()}
    if isinstance(item, list):
        return [one for inner in item for one in (_folder(inner, docs) if _is_folder(inner) else [_named(inner, docs)])]
    return item


def _is_folder(item: object) -> bool:
    return isinstance(item, str) and item.endswith("/")


def _folder(name: str, docs: Path) -> list[str]:
    pages = sorted((docs / name).glob("*.md"), key=lambda path: (path.name != "README.md", path.name))
    return [path.relative_to(docs).as_posix() for path in pages]


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Take the pages of the root in, as if they were in `docs`."""
    root = Path(config.docs_dir).parent
    for name in ROOT_PAGES:
        files.append(File.generated(config, name, content=(root / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs names them
    """Links between `docs` and the root, as they are within the site."""
    if page.file.src_uri in ROOT_PAGES:
        return _INTO_DOCS.sub("](", markdown)
    return _OUT_OF_DOCS.sub(r"](\1", markdown)
