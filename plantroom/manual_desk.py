"""Manuals of assets: links and files that site files name, and files the office uploaded (the Protocol is the pages').

Uploaded files lie under the hash of their content, and an index beside them says what they are; both are written whole.
"""

import hashlib
import re
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from dashboards.web.manual_pages import MOST_BYTES
from dashboards.web.manual_view import ManualContent, ManualView
from dashboards.web.visitor import Source
from facility.asset import Asset
from facility.clock import Clock
from facility.errors import PermanentError, refuse
from plantroom.accounts import directory
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import Sessions
from plantroom.files import write_atomically
from ticketing.photo import PhotoError, check_photo

PDF, TEXT = "application/pdf", "text/plain; charset=utf-8"
KINDS = {PDF: "pdf", TEXT: "text", "image/png": "picture", "image/jpeg": "picture", "image/webp": "picture"}
_ENDINGS = {PDF: ".pdf", TEXT: ".txt", "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class Kept(msgspec.Struct, frozen=True):
    """An uploaded file. `at` is aware UTC, by the wall clock."""

    id: str
    asset_id: str
    title: str
    media_type: str
    sha256: str
    size: int
    by: str
    at: datetime


def media_type_of(content: bytes) -> str | None:
    """What a file is by its content: PDF, PNG, JPEG, WebP or plain UTF-8 text; None for anything else."""
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-2048:] else None
    with suppress(PhotoError):
        return check_photo(content).value
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return TEXT if text.strip() and not _CONTROL.search(text) else None


class Manuals:
    """Implements the pages' `ManualDesk`. `folder` keeps what is uploaded; `named` holds the files that sites name."""

    def __init__(self, folder: Path, named: Path | None, sessions: Sessions, wall: Clock) -> None:
        self._folder, self._named, self._sessions, self._wall = folder, named, sessions, wall
        self._lock = threading.Lock()

    def manuals(self, asset: Asset) -> Sequence[ManualView]:
        """The site's first."""
        found = []
        for index, one in enumerate(asset.manuals):
            if one.url:
                found.append(ManualView(one.title, one.url, "link"))
            elif (content := self._of_site(asset, index)) is not None:
                href = f"/assets/{quote(asset.id)}/manuals/site-{index}"
                found.append(ManualView(one.title, href, KINDS[content.media_type], len(content.content)))
        for kept in self._index():
            if kept.asset_id == asset.id:
                href = f"/assets/{quote(asset.id)}/manuals/{kept.id}"
                found.append(ManualView(kept.title, href, KINDS.get(kept.media_type, ""), kept.size, kept.id))
        return found

    def content(self, asset: Asset, name: str) -> ManualContent | None:
        """Looked at again before it is served: what is no longer the file that was kept is not."""
        if name.startswith("site-") and name[5:].isascii() and name[5:].isdigit():
            return self._of_site(asset, int(name[5:]))
        kept = next((one for one in self._index() if one.id == name and one.asset_id == asset.id), None)
        if kept is None:
            return None
        try:
            content = self._path(kept.sha256).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != kept.sha256:
            return None
        return ManualContent(kept.title + _ENDINGS[kept.media_type], kept.media_type, content)

    def add(self, asset: Asset, title: str, content: bytes, *, by: str, source: Source) -> None:
        """At most 25 MB; the same file may be kept for several assets and lies there once."""
        if not title:
            raise refuse("title", "it has no name", "Write what people will look for.")
        if not content:
            raise refuse("file", "there is no file, or it is empty", "Choose one.")
        if len(content) > MOST_BYTES:
            raise refuse("file", f"the file is larger than {MOST_BYTES // 1_000_000} MB", "Make it smaller.")
        media_type = media_type_of(content)
        if media_type is None:
            raise refuse(
                "file",
                "the file is no whole PDF, no picture (PNG, JPEG, WebP; 8 MB) and no UTF-8 text",
                "Export a PDF.",
            )
        digest = hashlib.sha256(content).hexdigest()
        kept = Kept(
            uuid.uuid4().hex, asset.id, title, media_type, digest, len(content), by, self._wall.now()
        )  # fmt: skip
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._path(digest).exists():
                write_atomically(self._path(digest), content)
            self._write([*self._index(), kept])
        self._note("manual added", asset, title, by, source)

    def remove(self, asset: Asset, manual_id: str, *, by: str, source: Source) -> None:
        """The file goes when no other asset has it."""
        with self._lock:
            every = self._index()
            gone = next((one for one in every if one.id == manual_id and one.asset_id == asset.id), None)
            if gone is None:
                msg = "there is no such manual; somebody may have removed it just now"
                raise PermanentError(msg)
            left = [one for one in every if one is not gone]
            self._write(left)
            if all(one.sha256 != gone.sha256 for one in left):
                self._path(gone.sha256).unlink(missing_ok=True)
        self._note("manual removed", asset, gone.title, by, source)

    def _of_site(self, asset: Asset, index: int) -> ManualContent | None:
        """A file that the site names, out of its folder and nowhere else."""
        if self._named is None or index >= len(asset.manuals) or not asset.manuals[index].file:
            return None
        path = (self._named / asset.manuals[index].file).resolve()
        if path.parent != self._named.resolve() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        content = path.read_bytes()
        media_type = media_type_of(content)
        return ManualContent(path.name, media_type, content) if media_type is not None else None

    def _path(self, digest: str) -> Path:
        return self._folder / digest

    def _index(self) -> list[Kept]:
        try:
            return msgspec.json.decode((self._folder / "index.json").read_bytes(), type=list[Kept])
        except FileNotFoundError:
            return []

    def _write(self, every: Sequence[Kept]) -> None:
        write_atomically(self._folder / "index.json", msgspec.json.encode(every))

    def _note(self, what: str, asset: Asset, title: str, by: str, source: Source) -> None:
        with self._sessions.writing() as session:
            directory.note(session, Actor(by, source.address), self._wall.now(), what, asset.id, title)
