"""Manuals of an asset: named by the site or uploaded by the office, known by content, served as nothing else."""

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
from facility.errors import InputError
from facility.instant import to_us
from facility.site_file import parse_site
from plantroom.accounts import repository
from plantroom.database import Database
from plantroom.manual_desk import Manuals, media_type_of

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"
PAGE = b"<html><script>alert(1)</script></html>"
SITE = """site: {id: house, zone: UTC}
buildings:
  - id: tower
    assets:
      - id: pump
        class: pump
        points: [run_status]
        manuals:
          - {title: Maker's page, url: "https://pumps.example/p1"}
          - {title: Wiring, file: wiring.pdf}
          - {title: Not there, file: gone.pdf}
          - {title: A page, file: page.pdf}
          - {title: Elsewhere, file: out.pdf}
      - {id: other, class: pump, points: [run_status]}
"""


class Desk:
    """The pages of a pump with manuals, and an admin who is signed in."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.uploads, named = database, folder / "var/manuals", folder / "named"
        named.mkdir()
        (named / "wiring.pdf").write_bytes(PDF)
        (named / "page.pdf").write_bytes(b"\x00" + PAGE)
        (folder / "secret.pdf").write_bytes(PDF)
        (named / "out.pdf").symlink_to(folder / "secret.pdf")
        clock = JournalClock(to_us(NOW))
        app = FastAPI()
        desk = Manuals(self.uploads, named, database, clock)
        app.include_router(web_router(PreviewPlant(NOW, site=SITE), PreviewDoor("chief"), manuals=desk))
        self.admin = Client(app, HOST)
        self.admin.post("/login", data={"token": TOKEN}, headers=OWN)

    def upload(self, title: str, content: bytes, name: str = "m.pdf") -> int:
        """The status of the answer to the form."""
        boundary = "x-boundary-x"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\n{title}\r\n'.encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode(),
            b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n",
            f"--{boundary}--\r\n".encode(),
        ]
        headers = OWN | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        self.last = self.admin.post("/office/manuals/pump", content=b"".join(parts), headers=headers)
        return self.last.status_code


@pytest.fixture
def desk(sqlite_file: Path, tmp_path: Path) -> Iterator[Desk]:
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        yield Desk(database, tmp_path)


def test_what_the_site_names_is_shown_and_only_files_of_the_folder_are_served(desk: Desk) -> None:
    text = desk.admin.get("/assets/pump").text
    assert 'href="https://pumps.example/p1" rel="noopener noreferrer"' in text
    assert re.findall(r'href="/assets/pump/manuals/([\w-]+)"', text) == ["site-1"]
    answer = desk.admin.get("/assets/pump/manuals/site-1")
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("site-0", "site-2", "site-3", "site-4", "site-9", "site-x", "../site-1", "index.json"):
        assert desk.admin.get(f"/assets/pump/manuals/{name}").status_code == 404, name
    assert desk.admin.get("/assets/other/manuals/site-1").status_code == 404


def test_the_office_uploads_and_takes_away(desk: Desk) -> None:
    assert desk.upload("Pump <P1> 手册", PDF) == 303
    text = desk.admin.get("/assets/pump").text
    assert "Pump &lt;P1&gt; 手册" in text
    (name,) = re.findall(r'href="/assets/pump/manuals/([0-9a-f]{32})"', text)
    answer = desk.admin.get(f"/assets/pump/manuals/{name}")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert "filename*=UTF-8''Pump%20%3CP1%3E" in answer.headers["content-disposition"]
    assert desk.admin.get(f"/assets/other/manuals/{name}").status_code == 404
    (kept,) = [path for path in desk.uploads.iterdir() if len(path.name) == 64]
    kept.write_bytes(PAGE)
    assert desk.admin.get(f"/assets/pump/manuals/{name}").status_code == 404, "it is no longer what was kept"
    foreign = desk.admin.post(f"/office/manuals/pump/{name}/remove", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert desk.admin.post(f"/office/manuals/other/{name}/remove", headers=OWN).status_code == 409
    assert desk.admin.post(f"/office/manuals/pump/{name}/remove", headers=OWN).status_code == 303
    assert not kept.exists()
    with desk.database.reading() as session:
        lines = repository.search_audit(session, who="chief", what="", about="pump", limit=9, offset=0)
    assert [one.what for one in lines] == ["manual removed", "manual added"]


def test_a_file_is_what_its_content_says_and_the_form_keeps_what_was_typed(desk: Desk) -> None:
    for content in (b"\x00\x01\x02", b"%PDF-1.4 cut short", b"\xff\xd8\xff no end", b"", b"MZ\x90\x00" + PDF):
        assert desk.upload("Kept title", content) == 422
        assert 'id="e-file"' in desk.last.text
        assert 'value="Kept title"' in desk.last.text
    assert desk.upload(" ", PDF) == 422
    assert 'id="e-title"' in desk.last.text
    assert desk.upload("Page", PAGE, "page.html") == 303
    name = re.findall(r"/assets/pump/manuals/([0-9a-f]{32})", desk.admin.get("/assets/pump").text)[0]
    served = desk.admin.get(f"/assets/pump/manuals/{name}")
    assert served.headers["content-type"] == "text/plain; charset=utf-8", "a page is shown as its text, never run"
    assert "default-src 'none'" in served.headers["content-security-policy"]


def test_kinds_are_told_by_content() -> None:
    assert media_type_of(PDF) == "application/pdf"
    assert media_type_of("Öl nachfüllen\n".encode()) == "text/plain; charset=utf-8"
    for content in (b" \n", b"\x1b[2J", b"\xc3\x28", b"GIF89a\x00", b"PK\x03\x04\x00"):
        assert media_type_of(content) is None, content


@pytest.mark.parametrize(
    "manual",
    ["{title: A}", "{title: A, url: 'javascript:alert(1)'}", "{title: A, file: ../x.pdf}", "{title: A, file: .x}",
     "{title: '', file: a.pdf}", "{title: A, file: a.pdf, url: 'https://a.example'}"],
)  # fmt: skip
def test_a_manual_that_leads_elsewhere_is_refused_in_the_site_file(manual: str) -> None:
    text = SITE.split("        manuals:", maxsplit=1)[0] + f"        manuals: [{manual}]\n"
    with pytest.raises(InputError, match=r"manuals\[0\]"):
        parse_site(text, "site.yaml")
