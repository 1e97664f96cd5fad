"""Rule and site files taken up while the program runs, and broken ones refused with the old ones in force.

`test_deploy_by_docs.py` does it on the whole program.
"""

from pathlib import Path

import pytest

from facility.clock import JournalClock
from facility.reading import ControlEvent, RuleSetActivated, SiteEdited
from ingest.control import waiting
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.reload import PlantFiles, Reload
from plantroom.settings import Settings

SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets: [{id: tank, class: tank, points: [tank_level]}]
"""
RULES = """\
rules:
  - id: own-tank-high
    class: tank
    name: {en: Tank above the mark}
    severity: high
    when: tank_level > 95
    advice: Look
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file in a folder that is made when it is not there."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class Desk:
    """A folder of files somebody edits, and what reached the spool so far."""

    def __init__(self, folder: Path) -> None:
        self.site = write(folder, "site.yaml", SITE)
        self.rules = write(folder / "rules", "own.yaml", RULES)
        self.settings = Settings(var=folder / "var", site=(self.site,), rules=self.rules.parent)
        _, site_texts = load_registry([self.site])
        in_force = PlantFiles(site_texts, load_rule_files(self.rules.parent))
        self.reload = Reload(self.settings, self.settings.main, in_force, dict, JournalClock())

    def look_twice(self) -> list[ControlEvent]:
        """What two looks submit, oldest first; the spool is emptied."""
        self.reload.look()
        self.reload.look()
        found = waiting(self.settings.main.control_folder)
        for item in found:
            item.path.unlink()
        return [item.event for item in found]


def test_a_changed_rule_file_is_taken_when_two_looks_agree(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.look_twice() == []
    desk.rules.write_text(RULES.replace("> 95", "> 90"), encoding="utf-8")
    desk.reload.look()
    assert waiting(desk.settings.main.control_folder) == []
    desk.rules.write_text(RULES.replace("> 95", "> 91"), encoding="utf-8")
    (event,) = desk.look_twice()
    assert isinstance(event, RuleSetActivated)
    assert "> 91" in event.files[str(desk.rules)]
    assert "catalogue/water.yaml" in event.files
    assert desk.look_twice() == []


def test_a_broken_file_is_refused_until_it_is_mended(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    second = write(desk.rules.parent, "second.yaml", RULES.replace("own-", "second-"))
    desk.rules.write_text(RULES.replace("> 95", ">"), encoding="utf-8")
    assert desk.look_twice() == [], "all of the files or none"
    assert f"{desk.rules}:6" in desk.reload.refused
    second.unlink()
    desk.rules.write_text(RULES, encoding="utf-8")
    assert desk.look_twice() == [], "the files in force are back"
    assert desk.reload.refused == ""


def test_site_and_rules_changed_together_come_in_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.site.write_text(SITE.replace("id: tank,", "id: roof-tank,"), encoding="utf-8")
    desk.rules.write_text(RULES.replace("> 95", "> 90"), encoding="utf-8")
    site, rules = desk.look_twice()
    assert isinstance(site, SiteEdited)
    assert isinstance(rules, RuleSetActivated)
    assert site.at_us < rules.at_us


@pytest.mark.parametrize("what", ["gone", "not UTF-8", "an asset twice"])
def test_files_that_cannot_be_used_are_refused(what: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    match what:
        case "gone":
            desk.site.unlink()
        case "not UTF-8":
            desk.rules.write_bytes(b"\xff\xfe")
        case _:
            desk.site.write_text(SITE.replace("assets: [", "assets: [{id: tank, class: pump}, "), encoding="utf-8")
    assert desk.look_twice() == []
    assert desk.reload.refused


def test_a_spool_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    blocked = write(desk.settings.var, "control", "a file where the spool should be")
    desk.rules.write_text(RULES.replace("> 95", "> 90"), encoding="utf-8")
    desk.reload.look()
    with pytest.raises(OSError, match="control"):
        desk.reload.look()
    blocked.unlink()
    assert len(desk.look_twice()) == 1
