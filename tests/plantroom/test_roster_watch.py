"""A changed roster comes into force while the program runs; a broken or half-saved one does not."""

from pathlib import Path

import pytest

from facility.errors import InputError
from facility.registry import Registry
from plantroom.roster_watch import RosterWatch
from plantroom.settings import load_settings
from ticketing.roster import NOBODY

TEXT = (Path(__file__).parents[1] / "data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}
MORE = "  - {id: zhao, name: Zhao, roles: [storekeeper]}\nteams:"


def test_a_changed_roster_is_taken_when_it_is_whole(tmp_path: Path, registry: Registry) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    people = RosterWatch(load_settings(var=tmp_path, roster=file), lambda: registry, SECRETS)
    before = people()
    assert "zhao" not in before.people
    assert not people.look()
    assert "\nteams:" in TEXT
    file.write_text(TEXT.replace("teams:", MORE, 1), encoding="utf-8")
    assert not people.look(), "it may be half saved"
    assert people.look()
    assert {"zhao", "wang"} <= set(people().people)
    file.write_text("people: [", encoding="utf-8")
    assert not people.look()
    assert not people.look()
    assert str(file) in people.refused
    assert "zhao" in people().people, "the one in force stays in force"
    file.unlink()
    assert not people.look()
    assert "cannot be read" not in people.refused, "an editor may be putting it back"
    assert not people.look()
    assert "cannot be read" in people.refused
    file.write_text(TEXT.replace("teams:", MORE, 1), encoding="utf-8")
    people.look()
    people.look()
    assert people.refused == ""


def test_without_a_file_there_is_nobody_and_a_broken_one_is_refused_at_start(
    tmp_path: Path, registry: Registry
) -> None:
    nobody = RosterWatch(load_settings(var=tmp_path), lambda: registry, SECRETS)
    assert nobody() is NOBODY
    assert not nobody.look()
    (tmp_path / "roster.yaml").write_text("people: [", encoding="utf-8")
    with pytest.raises(InputError):
        RosterWatch(load_settings(var=tmp_path, roster=tmp_path / "roster.yaml"), lambda: registry, SECRETS)


def test_the_first_roster_may_name_buildings_the_engine_is_yet_to_hear_of(tmp_path: Path, registry: Registry) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    settings = load_settings(var=tmp_path, roster=file)
    assert RosterWatch(settings, Registry, SECRETS, first=registry)().people.keys() >= {"wang", "li"}
    with pytest.raises(InputError, match="not a known building"):
        RosterWatch(settings, Registry, SECRETS)
