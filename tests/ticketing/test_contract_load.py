"""Contract files: what they may say, and that each mistake is refused with its line and what to do."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from facility.errors import InputError
from ticketing.calendar_days import Closure, YearlyClosure
from ticketing.contract import RESOLUTION_PAUSES, Contract, PauseReason
from ticketing.contract_file import contract_schema, parse_closure
from ticketing.contract_load import parse_contract

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "plantroom/demo/contract.yaml", ROOT / "examples/lbnl/contract.yaml")
BASE = """\
contract:
  id: c1
  sites: [demo]
  zone: Asia/Shanghai
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars:
      always: {hours: always}
      office: {hours: {mon-fri: ["08:00-12:00", "13:00-18:00"]}}
    default_level: {clause: "1.9", priority: 4, calendar: office, response: "8 open hours", resolution: "5 open days"}
    levels:
      - id: lifts
        clause: "3.1"
        match: {class: elevator, severity: critical}
        priority: 1
        calendar: always
        response: {limit: "5 min", pauses: []}
        resolution: "4 h"
"""
LEVEL = """\
      - id: other
        match: {MATCH}
        priority: 2
        calendar: office
        response: "1 h"
        resolution: "4 open hours"
"""


def parse(*changes: tuple[str, str], more: str = "") -> Contract:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_contract(text + more, "c.yaml")


def refused(*changes: tuple[str, str], more: str = "") -> str:
    with pytest.raises(InputError) as error:
        parse(*changes, more=more)
    return str(error.value)


def test_a_contract_is_read_as_written() -> None:
    contract = parse()
    revision = contract.revisions[0]
    assert revision.effective_at == datetime(2025, 12, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    level = revision.levels[0]
    assert (level.id, level.clause, level.priority, level.line) == ("lifts", "3.1", 1, 13)
    assert level.response.pauses == frozenset()
    assert level.resolution.pauses == RESOLUTION_PAUSES
    default = revision.default_level
    assert default is not None
    assert default.is_default
    assert revision.level("default") is default
    assert revision.level("none") is None


def test_one_value_may_stand_for_a_list_and_a_date_without_quotes() -> None:
    more = LEVEL.replace("MATCH", "class: [ahu, vav], kind: fault")
    contract = parse(('"2026-01-01"', "2026-01-01"), more=more)
    assert contract.revisions[0].levels[1].match.classes == {"ahu", "vav"}
    assert contract.revisions[0].effective_at == datetime(2025, 12, 31, 16, tzinfo=UTC)


def test_a_pause_list_of_its_own_counts() -> None:
    contract = parse(('resolution: "4 h"', 'resolution: {limit: "4 h", pauses: [parts]}'))
    assert contract.revisions[0].levels[0].resolution.pauses == {PauseReason.PARTS}


def test_the_calendar_has_all_its_parts() -> None:
    full = """office:
        zone: Europe/Berlin
        hours: {mon-fri: ["22:00-06:00"], sat: ["09:00-24:00"]}
        holidays: {country: DE, subdivision: BY, make_up_days: false}
        closed: ["2026-12-30 to 2027-01-02", 05-01]
        dates: {2026-10-10: ["09:00-18:00"], "2026-10-11": []}
        breaks: {2026-10-12: ["23:00-24:00"]}
"""
    office = (
        parse(('office: {hours: {mon-fri: ["08:00-12:00", "13:00-18:00"]}}\n', full)).revisions[0].calendars["office"]
    )
    assert office.zone.key == "Europe/Berlin"
    assert office.day(date(2026, 10, 12)).spans == ((1320, 1380), (1440, 1800))
    assert office.day(date(2026, 10, 10)).spans == ((540, 1080),)
    assert not office.day(date(2026, 10, 11)).spans
    assert not office.day(date(2026, 12, 31)).spans
    assert not office.day(date(2027, 5, 1)).spans
    assert office.day(date(2026, 6, 4)).name == "Corpus Christi"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class: elevator", "class: elevater", "c.yaml:15:17: revisions[0].levels[0].match.class: 'elevater' is not"),
        ("class: elevator", "class: elevater", "a known equipment class; did you mean 'elevator'?"),
        ("severity: critical", "severity: [critical, hihg]", "'hihg' is not a known severity; did you mean 'high'?"),
        ("        calendar: always", "        calendar: allways", "c.yaml:17:9: revisions[0].levels[0].calendar: "),
        ("calendar: always", "calendar: allways", "not a known calendar of this revision; did you mean 'always'?"),
        ("pauses: []", "pauses: [partz]", "'partz' is not a known pause reason; did you mean 'parts'?"),
        ('resolution: "4 h"', 'resolution: "4 opne hours"', "c.yaml:19:9"),
        ('resolution: "4 h"', 'resolution: "4 opne hours"', "write it like '30 min', '4 open hours'"),
        ('resolution: "4 h"', "resolution: 4", "it needs an amount and a unit"),
        ("priority: 1", "priority: 5", "c.yaml:16:9: revisions[0].levels[0].priority"),
        ("match: {class: elevator, severity: critical}", "match: {}", "level 'lifts' matches everything"),
        ("class: elevator,", "class: elevator, system: water,", "level 'lifts' matches nothing"),
        ("id: lifts", "id: default", "'default' is kept for the default level"),
        ("always: {hours: always}", "always: {hours: {}}", "calendar 'always' never opens"),
        ("always: {hours: always}", "always: {hours: {mon: []}}", "c.yaml:9:7: revisions[0].calendars.always"),
        ('"08:00-12:00"', '"8-12"', "'8-12' are no hours; write them like '08:00-12:00'"),
        ("mon-fri:", "mon-fir:", "'mon-fir' is not a day or a range of days"),
        ("mon-fri:", 'wed: ["09:00-10:00"], mon-fri:', "name the same day"),
        ("{hours: always}", "{hours: always, holidays: {country: CHN1}}", "holidays of country 'CHN1' are not known"),
        ("{hours: always}", "{hours: always, closed: [\"2026-13-01\"]}", "'2026-13-01' is no closed date"),
        ("{hours: always}", '{hours: always, closed: [2026-05-01], dates: {2026-05-01: ["08:00-09:00"]}}',
         "2026-05-01 is closed and has hours in `dates`"),
        ("{hours: always}", "{hours: always, holydays: {}}", "'holydays' is not a field here"),
        ("{hours: always}", "{hours: always, holydays: {}}", "Did you mean 'holidays'?"),
        ("zone: Asia/Shanghai", "zone: Asia/Shangai", "'Asia/Shangai' is not a time zone"),
        ("{hours: always}", "{hours: sometimes}", "c.yaml:9:16: revisions[0].calendars.always.hours: 'sometimes'"),
        ('clause: "3.1"', "clause: 3.10", "clause 3.1 is read as a number, in which 1.10 is 1.1; put it in quotes"),
        ('"2026-01-01"', "soon", "'soon' is not a date or an instant"),
        ("sites: [demo]", 'ends_on: "2025-06-30"', "the contract ends before its first revision is in force"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_place_and_what_to_do(old: str, new: str, said: str) -> None:
    assert said in refused((old, new))


def test_every_mistake_is_told_at_once() -> None:
    said = refused(
        ("class: elevator", "class: lift"), ("priority: 1", "priority: 9"), ("hours: always", "hours: {x: []}")
    )
    assert len(said.splitlines()) >= 3


def test_two_levels_that_tie_are_refused_by_name_and_line() -> None:
    said = refused(more=LEVEL.replace("MATCH", "class: [elevator, ahu], rule: [x]"))
    assert (
        "levels 'lifts' (line 13: class elevator, severity critical) and 'other' (line 20: class ahu or elevator"
        in said
    )
    assert "Give the one that shall win a higher `rank`." in said


@pytest.mark.parametrize(
    "match",
    [
        "class: ahu, severity: critical",  # nothing is both
        "class: elevator",  # fewer conditions
        "system: elevator, severity: [critical, high]",  # wider
        "class: elevator, severity: critical, rank: 1",  # ranked
    ],
)
def test_levels_that_something_decides_between_are_taken(match: str) -> None:
    rank = "        rank: 1\n" if "rank" in match else ""
    assert len(parse(more=LEVEL.replace("MATCH", match.removesuffix(", rank: 1")) + rank).revisions[0].levels) == 2


def test_two_levels_of_one_id_and_revisions_out_of_order_are_refused() -> None:
    assert "level 'lifts' is also on line 13" in refused(
        more=LEVEL.replace("other", "lifts").replace("MATCH", "kind: fault")
    )
    again = BASE[BASE.index("  - revision: 1") :]
    said = refused(more=again)
    assert "revision 1 follows revision 1" in said
    assert "takes effect no later than" in said


def test_a_contract_that_promises_nothing_is_refused() -> None:
    text = BASE[: BASE.index("    default_level")]
    with pytest.raises(InputError, match="revision 1 promises nothing"):
        parse_contract(text, "c.yaml")


def test_the_revision_in_force_is_found_by_instant() -> None:
    later = (
        BASE[BASE.index("  - revision: 1") :].replace("revision: 1", "revision: 2").replace("2026-01-01", "2026-07-01")
    )
    contract = parse(("sites: [demo]", 'ends_on: "2026-12-31"'), more=later)
    start, change = datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 6, 30, 16, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    seen = [contract.revision_at(at) for at in (start - instant, start, change - instant, change)]
    assert [one.number if one else None for one in seen] == [None, 1, 1, 2]
    assert contract.revision_at(datetime(2026, 12, 31, 16, tzinfo=UTC)) is None


def test_closed_dates_have_four_forms() -> None:
    assert parse_closure("12-24 to 01-02") == YearlyClosure((12, 24), (1, 2))
    assert parse_closure("05-01") == YearlyClosure((5, 1), (5, 1))
    assert parse_closure("2026-12-31") == Closure(date(2026, 12, 31), date(2026, 12, 31))
    assert parse_closure(date(2026, 12, 31)) == parse_closure("2026-12-31")
    for wrong in ("2026-12-31 to 01-02", "12-32", "2026-02-02 to 2026-02-01", "tomorrow", 5):
        with pytest.raises(ValueError, match="is no closed date"):
            parse_closure(wrong)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_shipped_contracts_load_and_fit_the_json_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert parse_contract(text, path.name).revisions[0].default_level is not None
    jsonschema.validate(YAML(typ="safe", pure=True).load(text), contract_schema())


def test_the_json_schema_refuses_a_field_that_is_not_one() -> None:
    data = YAML(typ="safe", pure=True).load(BASE)
    jsonschema.validate(data, contract_schema())
    data["revisions"][0]["levels"][0]["prio"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, contract_schema())
