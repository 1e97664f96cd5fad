"""The documentation as a site: built strictly, from files alone, with every page in its navigation."""

import os
import re
import subprocess
import sys
from pathlib import Path

from running import ROOT

_ADDRESS = re.compile(r"<(?:script|link|img|iframe|source|use)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//([^\"'\s>]+)")
_LINK = re.compile(r"\]\(([\w-]+)\.md\)")


def test_the_site_is_built_without_a_warning_and_without_another_server(tmp_path: Path) -> None:
    built = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(built)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr  # strict: a page outside the navigation, a link or anchor to nowhere
    pages = sorted(built.rglob("*.html"))
    assert len(pages) > 300
    elsewhere = {page.name: found for page in pages if (found := _ADDRESS.findall(page.read_text(encoding="utf-8")))}
    assert not elsewhere
    assert (built / "CHANGELOG.html").exists()


def test_every_page_of_a_rule_is_on_their_list() -> None:
    """They stand in no navigation (there are hundreds), so the list that does has all of them."""
    folder = ROOT / "docs/rules"
    listed = set(_LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert {path.stem for path in folder.glob("*.md")} - {"README"} == listed
