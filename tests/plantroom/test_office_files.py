"""The files of the back office: shown, checked with their differences, and written only when all of it is in order."""

import html
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.router import web_router
from facility.clock import JournalClock
from facility.document import load_yaml
from facility.errors import InputError
from facility.instant import to_us
from plantroom.accounts import repository
from plantroom.contract_watch import ContractWatch
from plantroom.contracts import check_renewal, load_contracts
from plantroom.database import Database
from plantroom.file_desk import PlantFileDesk
from plantroom.plant_files import load_registry
from plantroom.refusal_words import in_language
from plantroom.roster_secrets import hide, restore
from plantroom.settings import Settings

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
SITE = """site: {id: house, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: tank, class: tank, name: Roof tank, points: [tank_level]}
"""
CONTRACT = """contract: {id: house, name: House, sites: [house], zone: UTC}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    default_level: {clause: "1.9", priority: 4, calendar: always, response: 8 h, resolution: 5 days}
"""
LATER = CONTRACT.split("revisions:\n")[1].replace("revision: 1", "revision: 2").replace("2026-01-01", "2027-01-01")
ROSTER = """roster: {zone: UTC, address: "https://plant.example"}
people:
  - {id: li, name: Li Wei, roles: technician, channels: [{name: chat, address: "ntfy://topic-nobody-knows"}]}
"""


class Desk:
    """The pages over files in a folder, with an admin who is signed in."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.clock = database, folder, JournalClock(to_us(NOW))
        for name, text in (("site", SITE), ("contract", CONTRACT), ("roster", ROSTER)):
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        files = {name: folder / f"{name}.yaml" for name in ("site", "contract", "roster")}
        settings = Settings(
            var=folder / "var", site=(files["site"],), contract=(files["contract"],), roster=files["roster"]
        )
        registry, _ = load_registry(settings.site_files)
        texts = {str(files["contract"]): CONTRACT}
        self.book = load_contracts(texts, registry)
        self.watch = ContractWatch(settings, self.book, texts, (lambda: registry, tuple), self.clock)
        desk = PlantFileDesk(
            settings, lambda: registry, self.watch.check, lambda: "", database, (self.clock, self.clock), {}
        )
        app = FastAPI()
        app.include_router(web_router(PreviewPlant(NOW), PreviewDoor("chief"), files=desk, tell=in_language))
        self.admin = Client(app, HOST)
        self.admin.post("/login", data={"token": TOKEN}, headers=OWN)

    def path(self, name: str) -> str:
        """The page of `site.yaml` ..."""
        found = re.search(rf'href="(/office/files/\w+)">{name}<', self.admin.get("/office/files").text)
        assert found is not None, name
        return found[1]

    def form(self, name: str) -> dict[str, str]:
        """The form of a file as it is on the page."""
        return form_of(self.admin.get(self.path(name)).text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def form_of(page: str) -> dict[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert text is not None
    return {**hidden, "text": html.unescape(text[1])}


@pytest.fixture
def desk(sqlite_file: Path, tmp_path: Path) -> Iterator[Desk]:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        yield Desk(database, tmp_path)


def test_a_text_is_checked_shown_as_a_difference_and_only_then_written(desk: Desk) -> None:
    path, form = desk.path("site.yaml"), desk.form("site.yaml")
    assert form["text"] == SITE
    more = "      - {id: pump, class: pump, name: Pump, points: [run_status]}\r\n"
    typed = {**form, "text": SITE.replace("\n", "\r\n") + more}
    checked = desk.admin.post(path, data={**typed, "do": "put"}, headers=OWN)
    assert checked.status_code == 200, "what was not looked at is checked first"
    assert desk.read("site.yaml") == SITE
    assert '<span class="plus">+      - {id: pump' in checked.text
    assert "asset Pump" in checked.text
    done = desk.admin.post(path, data={**form_of(checked.text), "do": "put"}, headers=OWN)
    assert done.status_code == 303
    assert desk.read("site.yaml") == SITE + more.replace("\r\n", "\n")
    assert "site.yaml is written" in desk.admin.get(done.headers["location"]).text
    with desk.database.reading() as session:
        line = repository.search_audit(session, who="chief", what="file changed", about="", limit=1, offset=0)[0]
    assert (line.about, line.detail) == ("site.yaml", "1 lines new, 0 gone")


def test_errors_have_line_and_field_and_what_was_typed_is_kept(desk: Desk) -> None:
    path, form = desk.path("site.yaml"), desk.form("site.yaml")
    wrong = SITE.replace("class: tank", "class: tnak").replace("Roof tank", "<Roof>")
    answer = desk.admin.post(path, data={**form, "text": wrong, "do": "put"}, headers=OWN)
    assert answer.status_code == 422
    for words in ("Line 5", "buildings[0].assets[0]", "did you mean", "&lt;Roof&gt;", 'class="itself"'):
        assert words in answer.text, words
    assert form_of(answer.text)["text"] == wrong
    assert 'name="seal"' not in answer.text, "it cannot be put into force"
    other = desk.admin.post(path, data={**form, "text": SITE.replace("tower", "annex")}, headers=OWN)
    assert other.status_code == 200
    away = desk.admin.post(
        desk.path("contract.yaml"), data={**desk.form("contract.yaml"), "text": CONTRACT.replace("[house]", "[hous]")},
        headers=OWN,
    )  # fmt: skip
    assert "&#39;hous&#39; is not a known site" in away.text
    assert desk.read("site.yaml") == SITE
    chinese = desk.admin.post(f"{path}?lang=zh", data={**form, "text": wrong, "do": "check"}, headers=OWN).text
    assert "&#39;tnak&#39; 不是已知的设备类别；是否指 &#39;tank&#39;？" in chinese
    assert '<span lang="en">' not in chinese


def test_a_file_somebody_else_changed_is_not_overwritten(desk: Desk) -> None:
    path, form = desk.path("site.yaml"), desk.form("site.yaml")
    typed = {**form, "text": SITE.replace("Roof tank", "Tank")}
    checked = form_of(desk.admin.post(path, data=typed, headers=OWN).text)
    theirs = SITE.replace("Roof tank", "High tank")
    (desk.folder / "site.yaml").write_text(theirs, encoding="utf-8")
    answer = desk.admin.post(path, data={**checked, "do": "put"}, headers=OWN)
    assert "Somebody changed the file" in answer.text
    assert "High tank" in answer.text
    assert desk.read("site.yaml") == theirs
    assert form_of(answer.text)["text"] == typed["text"]
    again = desk.admin.post(path, data=form_of(answer.text), headers=OWN)
    assert desk.admin.post(path, data={**form_of(again.text), "do": "put"}, headers=OWN).status_code == 303
    assert desk.read("site.yaml") == typed["text"]


def test_forms_from_elsewhere_and_unknown_files_are_refused(desk: Desk) -> None:
    form = desk.form("site.yaml")
    foreign = desk.admin.post(desk.path("site.yaml"), data=form, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert desk.admin.get("/office/files/0123456789ab").status_code == 404
    assert desk.admin.post("/office/files/0123456789ab", data=form, headers=OWN).status_code == 404


def test_a_new_revision_comes_into_force_and_one_that_was_stays_as_it_is(desk: Desk) -> None:
    path, form = desk.path("contract.yaml"), desk.form("contract.yaml")
    changed = desk.admin.post(path, data={**form, "text": CONTRACT.replace("8 h", "9 h")}, headers=OWN)
    assert changed.status_code == 422
    assert "revision 1 of house has been in force and is changed" in html.unescape(changed.text)
    longer = CONTRACT + LATER.replace("8 h", "6 h")
    checked = desk.admin.post(path, data={**form, "text": longer}, headers=OWN)
    assert "revision 2" in checked.text
    desk.admin.post(path, data={**form_of(checked.text), "do": "put"}, headers=OWN)
    assert not desk.watch.look(), "it may be half saved"
    assert desk.watch.look()
    assert [one.number for one in desk.book.contracts[0].revisions] == [1, 2]
    (desk.folder / "contract.yaml").write_text(CONTRACT.replace("5 days", "6 days"), encoding="utf-8")
    desk.watch.look()
    assert not desk.watch.look()
    assert "has been in force" in desk.watch.refused
    assert [one.number for one in desk.book.contracts[0].revisions] == [1, 2]
    (desk.folder / "contract.yaml").write_text(longer, encoding="utf-8")
    desk.watch.look()
    assert not desk.watch.look()
    assert desk.watch.refused == ""


def test_a_revision_to_come_may_change_and_a_contract_that_was_in_force_may_not_go() -> None:
    both, name = CONTRACT + LATER, "contract.yaml"
    check_renewal({name: both}, {name: both.replace("2027-01-01", "2027-02-01")}, NOW)
    with pytest.raises(InputError, match="revision 2 of house has been in force and is gone"):
        check_renewal({name: both}, {name: CONTRACT}, datetime(2027, 3, 1, tzinfo=UTC))
    with pytest.raises(InputError, match="in no file any more"):
        check_renewal({name: both}, {}, NOW)


def test_secrets_of_the_roster_stay_hidden_and_are_kept(desk: Desk) -> None:
    path, form = desk.path("roster.yaml"), desk.form("roster.yaml")
    assert "topic-nobody-knows" not in form["text"]
    assert "https://plant.example" in form["text"]
    typed = form["text"].replace("Li Wei", "Li Na")
    checked = desk.admin.post(path, data={**form, "text": typed}, headers=OWN)
    assert "topic-nobody-knows" not in checked.text
    assert "person Li Na" in checked.text
    desk.admin.post(path, data={**form_of(checked.text), "do": "put"}, headers=OWN)
    assert desk.read("roster.yaml") == ROSTER.replace("Li Wei", "Li Na")


@pytest.mark.parametrize(
    "line",
    [
        "address: mailto://u:pa#the-secret@h", "address: >-\n    mailto://\n    the-secret\n  name: x",
        "secret: |\n    the-secret\n  name: x", '"secret": the-secret', "{'address': the-secret, name: x}",
        "address: json://h/a,the-secret", "address: [json://h, 'json://the-secret']", "address: &a the-secret",
        'address: "a\n    the-secret"', "address:\n    the-secret", "# address: mailto://u:pa#the-secret",
    ],
)  # fmt: skip
def test_no_writing_of_a_secret_shows_it(line: str) -> None:
    text = f"roster: {{address: https://plant.example}}\npeople:\n- {line}\n- name: y\n"
    shown, labels = hide(text)
    assert "secret" not in shown.replace("secret:", "").replace('"secret"', "")
    assert restore(shown, labels) == text
    assert load_yaml(shown, "roster.yaml")[0]["people"][1] == {"name": "y"}
    assert "https://plant.example" in shown


def test_labels_stand_for_every_secret_in_any_writing() -> None:
    more = "- {address: 'mailto://b', secret: \"0123456789abcdef\", x: 1}\n"
    text = f"people:\n- address: json://a\n{more}- address: env:C\n"
    shown, labels = hide(text)
    assert sorted(labels.values()) == ["0123456789abcdef", "json://a", "mailto://b"]
    assert not [value for value in labels.values() if value in shown]
    assert "env:C" in shown
    assert restore(shown, labels) == text
    assert hide("people: [address: x")[1] == {"hidden-2d711642b7": "x"}, "what cannot be read hides its secrets too"
