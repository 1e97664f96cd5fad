"""Takes photos and signatures for orders, requests and complaints, and gives them out again."""

from datetime import datetime

from sqlmodel import Session

from ticketing.attachment import MOST, AttachmentKind, Owner
from ticketing.attachment_rows import attachments_of, keep
from ticketing.attachment_store import AttachmentStore, DamagedError
from ticketing.photo import Photo, PhotoError, clean_photo
from ticketing.request import Declined
from ticketing.tables_service import AttachmentRow


class AttachmentDesk:
    """Over one store. `clean_photo` what came before the transaction begins: it takes a while."""

    def __init__(self, store: AttachmentStore) -> None:
        self.store = store

    def receive(
        self, session: Session, owner: Owner, kind: AttachmentKind, photo: Photo, at: datetime, by: str
    ) -> AttachmentRow | Declined:
        """Keep a picture of an owner that the transaction holds. The same picture again is the one that is there.

        The file is on disk before the row says so; a row that is never written leaves a file that nobody names.
        """
        there = attachments_of(session, owner.kind, [owner.id])
        hashes = self.store.put(photo.content), self.store.put(photo.thumbnail)
        known = next((row for row in there if row.sha256 == hashes[0] and row.kind == kind), None)
        if known is not None:
            return known
        if len(there) >= MOST[owner.kind]:
            what = f"the {owner.kind.replace('_', ' ')} has {MOST[owner.kind]} pictures already"
            return Declined(what, "Say the rest in words.")
        return keep(session, owner, kind, photo, hashes, at, by[:200])

    def content(self, row: AttachmentRow) -> bytes:
        """The picture. Raises DamagedError when its file is gone or damaged."""
        return self.store.get(row.sha256) if row.content is None else _cleaned(row.content).content

    def thumbnail(self, row: AttachmentRow) -> bytes:
        """A small JPEG of it. Raises DamagedError when its file is gone or damaged."""
        if row.content is not None:
            return _cleaned(row.content).thumbnail
        return self.store.get(row.thumbnail_sha256 or "")


def _cleaned(content: bytes) -> Photo:
    """A picture from a release that kept it as it came."""
    try:
        return clean_photo(content)
    except PhotoError as error:
        raise DamagedError(str(error)) from error
