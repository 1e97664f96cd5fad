"""Tables of assets and technicians: what is right becomes a file, what is wrong says row, column and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app
from typer.testing import CliRunner

from facility.errors import InputError
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.cli import app, load_commands
from plantroom.import_api import build_import_router
from plantroom.settings import load_settings
from ticketing.import_assets import read_assets
from ticketing.import_people import read_people
from ticketing.import_table import read_table
from ticketing.roster_file import parse_roster

SITE = Path(__file__).parents[1] / "data/ticketing/site.yaml"
ASSETS = """id,name,class,building,criticality,accepted_on,warranty_until,points
pump-1,生活水泵,pump,tower,key,2025-06-01,2027-05-31,run_status;water_flow
lift-2,Lift 2,elevator,tower,,,,
"""
PEOPLE = """id,name,skills,certificates,buildings,channels
li,李工,elevator;pump,Lift safety|elevator|2027-06-30,tower,mail=env:LI_MAIL
"""
ROSTER = "# who is told\nroster: {zone: Asia/Shanghai}\npeople:\n  - {id: wang, name: Wang}  # the dispatcher\n"
Run = Callable[..., tuple[int, str]]


def problems(content: str, registry: Registry) -> list[str]:
    with pytest.raises(InputError) as refused:
        read_assets(content.encode(), "assets.csv", registry)
    return [str(problem) for problem in refused.value.problems]


def test_assets_become_a_site_file_that_adds_them(registry: Registry) -> None:
    data = read_assets(ASSETS.encode(), "assets.csv", registry)
    (building,) = data["buildings"]
    assert building["id"] == "tower"
    assert [one["id"] for one in building["assets"]] == ["pump-1", "lift-2"]
    assert building["assets"][0]["points"] == ["run_status", "water_flow"]
    assert building["assets"][1] == {
        "id": "lift-2", "name": "Lift 2", "class": "elevator", "criticality": "normal"}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_spreadsheet_may_write_it_as_it_likes(registry: Registry, encoding: str, comma: str) -> None:
    text = ASSETS.replace(";water_flow", "").replace(",", comma).replace("\n", "\r\n")
    data = read_assets(text.encode(encoding), "assets.csv", registry)
    assert data["buildings"][0]["assets"][0]["name"] == "生活水泵"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("p,,pmup,tower,,,,", "assets.csv:2:3: class: 'pmup' is not a known equipment class; did you mean 'pump'?"),
        ("p,,pump,towr,,,,", "assets.csv:2:4: building: 'towr' is not a known building; did you mean 'tower'?"),
        (",,pump,tower,,,,", "assets.csv:2:1: id: the cell is empty. Every line needs its id."),
        ("p 1,,pump,tower,,,,", "assets.csv:2:1: id: 'p 1' is no id"),
        ("lift-1,,elevator,tower,,,,", "'lift-1' is in the site files already, in building 'tower'"),
        ("p,,pump,tower,vital,,,", "assets.csv:2:5: criticality: 'vital' is not a known criticality"),
        ("p,,pump,tower,,1.6.2025,,", "assets.csv:2:6: accepted_on: '1.6.2025' is not a date such as 2026-03-31"),
        ("p,,pump,tower,,2025-06-01,2024-01-01,", "the warranty ends on 2024-01-01, before the acceptance"),
        (
            "p,,pump,tower,,,,water_flwo",
            "assets.csv:2:8: points: 'water_flwo' is not a known point; did you mean 'water_flow'?",
        ),
        ("p,,pump,tower,,,,,,", "the line has 10 cells, the heads 8"),
    ],
)
def test_a_wrong_cell_says_row_column_and_what_to_do(registry: Registry, line: str, told: str) -> None:
    (problem,) = problems(f"{ASSETS.splitlines()[0]}\n{line}\n", registry)
    assert told in problem


def test_every_wrong_cell_is_told_at_once_and_in_order(registry: Registry) -> None:
    head = ASSETS.splitlines()[0]
    found = problems(f"{head}\np,,pmup,towr,,,,\n\nq,,pump,tower,,,,\nq,,pump,tower,,,,\n", registry)
    assert [one.split(": ")[0] for one in found] == ["assets.csv:2:3", "assets.csv:2:4", "assets.csv:5:1"]
    assert "'q' is also on line 4" in found[2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,clas,building\n1,2,3\n", "'clas' is not a known column; did you mean 'class'?"),
        (b"id,building\n1,2\n", "the column 'class' is missing"),
        (b"id,class,building\n", "there is no line below the heads"),
        (b"", "the column 'id' is missing"),
        (b"\xff\xfe\x00i", "the file is neither UTF-8 nor GB 18030"),
    ],
)
def test_what_is_no_such_table_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        read_table(content, "t.csv", ("id", "class", "building"), ("id", "class", "building"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("li,,,,,", "people.csv:2:2: name: the cell is empty"),
        ("li,Li,lift,,,", "people.csv:2:3: skills: 'lift' is not a known equipment class"),
        ("li,Li,,Safety,,", "people.csv:2:4: certificates: 'Safety' is no certificate. Write certificates such as"),
        ("li,Li,,A|elevator|soon,,", "people.csv:2:4: certificates: 'soon' is not a date"),
        ("li,Li,,,,mail", "people.csv:2:6: channels: 'mail' is no channel. Write channels such as 'mail=env:LI_MAIL'"),
    ],
)
def test_a_wrong_technician_says_row_and_column(registry: Registry, line: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        read_people(f"{PEOPLE.splitlines()[0]}\n{line}\n".encode(), "people.csv", registry, [])
    assert told in str(refused.value)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `plantroom import ...` in a folder that holds both tables and a roster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANTROOM_SITE", str(SITE))
    monkeypatch.setenv("LI_MAIL", "mailto://li@example.org")
    for name, text in (("assets.csv", ASSETS), ("people.csv", PEOPLE), ("roster.yaml", ROSTER)):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def command(*words: str) -> tuple[int, str]:
        load_commands(words)
        result = CliRunner().invoke(app, list(words))
        return result.exit_code, result.output + str(result.exception or "")

    return command


def test_a_dry_run_writes_nothing_and_a_real_one_a_file_that_loads(
    run: Run, tmp_path: Path, registry: Registry
) -> None:
    words = ("import", "assets", "assets.csv", "--out", "more.yaml")
    assert run(*words, "--dry-run") == (0, "assets.csv: 2 assets, nothing wrong; nothing was written\n")
    assert not (tmp_path / "more.yaml").exists()
    assert run(*words)[0] == 0
    added = parse_site((tmp_path / "more.yaml").read_text(encoding="utf-8"), "more.yaml")
    assert set(Registry.merge([registry, added]).assets) == {"lift-1", "ahu-1", "pump-1", "lift-2"}
    code, told = run(*words)
    assert code
    assert "more.yaml is there already" in told


def test_technicians_go_into_the_roster_and_its_comments_stay(run: Run, tmp_path: Path, registry: Registry) -> None:
    words = ("import", "technicians", "people.csv", "--into", "roster.yaml")
    assert "1 new, 0 replaced" in run(*words, "--dry-run")[1]
    assert (tmp_path / "roster.yaml").read_text(encoding="utf-8") == ROSTER
    assert run(*words) == (0, "roster.yaml: 1 new, 0 replaced\n")
    text = (tmp_path / "roster.yaml").read_text(encoding="utf-8")
    assert "# the dispatcher" in text
    roster = parse_roster(text, "roster.yaml", {"LI_MAIL": "mailto://li@example.org"}, registry)
    assert set(roster.people) == {"wang", "li"}
    assert roster.people["li"].certificates[0].equipment_class == "elevator"
    assert run(*words) == (0, "roster.yaml: 0 new, 1 replaced\n")


def test_a_refused_table_leaves_the_roster_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE.replace("elevator;pump", "rope"), encoding="utf-8")
    code, told = run("import", "technicians", "people.csv", "--into", "roster.yaml")
    assert code
    assert "people.csv:2:3: skills: 'rope' is not a known equipment class" in told
    assert (tmp_path / "roster.yaml").read_text(encoding="utf-8") == ROSTER


def test_by_the_api_a_table_is_answered_with_the_file_it_makes(registry: Registry, tmp_path: Path) -> None:
    roster = tmp_path / "roster.yaml"
    roster.write_text(ROSTER, encoding="utf-8")

    def client(**settings: Any) -> Client:  # noqa: ANN401 - any setting
        made = build_import_router(load_settings(var=tmp_path, **settings), lambda: registry, {"LI_MAIL": "json://li"})
        return Client(bare_app(made))

    api, csv = client(roster=roster), {"Content-Type": "text/csv"}
    assets = api.post("/api/import/assets", content=ASSETS.encode("gb18030"), headers=csv)
    assert (assets.status_code, assets.json()["added"], assets.json()["replaced"]) == (200, 2, 0)
    made = Registry.merge([registry, parse_site(assets.json()["file"], "more.yaml")])
    assert made.assets["pump-1"].name == "生活水泵"
    wrong = api.post("/api/import/assets", content=ASSETS.replace("pump,tower", "pmup,tower").encode(), headers=csv)
    assert (wrong.status_code, "did you mean 'pump'" in wrong.text) == (422, True)
    people = api.post("/api/import/technicians", content=(PEOPLE + "wang,Wang,,,,\n").encode(), headers=csv)
    assert (people.json()["added"], people.json()["replaced"]) == (1, 1)
    assert {"wang", "li"} == set(parse_roster(people.json()["file"], "r", {"LI_MAIL": "json://li"}, registry).people)
    assert roster.read_text(encoding="utf-8") == ROSTER, "nothing is written"
    nobody = client().post("/api/import/technicians", content=PEOPLE.encode(), headers=csv)
    assert (nobody.status_code, "plantroom init" in nobody.text) == (409, True)
