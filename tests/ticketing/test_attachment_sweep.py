"""Pictures that nobody names are swept out; one that somebody names never is, whatever happens meanwhile."""

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pictures import picture
from sqlmodel import Session, select

from facility.finding import Finding
from plantroom.database import Database
from ticketing.attachment import AttachmentKind, Owner, OwnerKind
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_rows import drop_ownerless, named_hashes
from ticketing.attachment_store import PARTS, AttachmentStore
from ticketing.desk import Desk
from ticketing.photo import clean_photo
from ticketing.tables_service import AttachmentRow

NewFinding = Callable[..., Finding]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments")


def nobody(hashes: Collection[str]) -> Collection[str]:  # noqa: ARG001 - how a sweep asks
    """Names none of them."""
    return ()


def put(store: AttachmentStore, content: bytes, *, days_ago: float = 2) -> str:
    """Put a file some days ago; its name."""
    name = store.put(content)
    at = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(store.folder / name[:2] / name, (at, at))
    return name


def sweep(store: AttachmentStore, named: Callable[[Collection[str]], Collection[str]] = nobody) -> int:
    return sum(store.sweep(part, named, NOW - DAY) for part in range(PARTS))


def there(store: AttachmentStore) -> set[str]:
    return {path.name for path in store.folder.rglob("*") if path.is_file()}


def test_only_what_nobody_names_and_is_older_than_a_day_goes(store: AttachmentStore) -> None:
    old, named, young = put(store, b"old"), put(store, b"named"), put(store, b"young", days_ago=0.9)
    half = store.folder / old[:2] / f".{old}.half.tmp"  # of a program that ended while it wrote
    half.write_bytes(b"ol")
    os.utime(half, (0, 0))
    assert sweep(store, lambda hashes: {named} & set(hashes)) == 2
    assert there(store) == {named, young}
    assert sweep(AttachmentStore(store.folder / "nowhere")) == 0


def test_a_picture_that_is_put_again_while_it_is_swept_stays(store: AttachmentStore) -> None:
    name = put(store, b"once more")

    def named(hashes: Collection[str]) -> Collection[str]:
        assert list(hashes) in ([], [name])
        if hashes:
            assert store.put(b"once more") == name  # its row is not written yet
        return ()

    assert sweep(store, named) == 0
    assert store.get(name) == b"once more"


@pytest.mark.parametrize("is_named", [True, False])
def test_a_sweep_that_was_killed_half_way_loses_nothing_that_is_named(
    store: AttachmentStore, *, is_named: bool
) -> None:
    name = put(store, b"aside")
    path = store.folder / name[:2] / name
    path.replace(path.with_name(f"{name}.aside"))  # killed here
    assert sweep(store, lambda hashes: hashes if is_named else ()) == (0 if is_named else 1)
    assert there(store) == ({name} if is_named else set())


def test_the_rows_say_what_is_named_and_go_with_their_owner(
    database: Database, store: AttachmentStore, desk: Desk, finding: NewFinding
) -> None:
    pictures = AttachmentDesk(store)

    def attach(session: Session, owner_id: str, shade: int, at: datetime) -> AttachmentRow:
        photo, owner = clean_photo(picture(shade=shade)), Owner(OwnerKind.ORDER, owner_id, "tower")
        row = pictures.receive(session, owner, AttachmentKind.PHOTO, photo, at, "Li")
        assert isinstance(row, AttachmentRow)
        return row

    with database.writing() as session:
        (order,) = desk.receive(session, [finding()]).opened
        kept = attach(session, order, 10, NOW - 2 * DAY)
        lost, young = attach(session, "wo_gone", 20, NOW - 2 * DAY), attach(session, "wo_gone", 30, NOW)
    names = {row.sha256 for row in (kept, lost, young)} | {row.thumbnail_sha256 for row in (kept, lost, young)}
    for name in names:
        path = store.folder / str(name)[:2] / str(name)
        os.utime(path, (0, 0))
    with database.writing() as session:
        assert named_hashes(session, {*map(str, names), "0" * 64}) == names
        assert drop_ownerless(session, NOW - DAY) == 1
        assert {row.id for row in session.exec(select(AttachmentRow))} == {kept.id, young.id}
        assert sweep(store, lambda hashes: named_hashes(session, hashes)) >= 1
    shown = {row.sha256 for row in (kept, young)} | {row.thumbnail_sha256 for row in (kept, young)}
    assert lost.sha256 not in shown
    assert there(store) == shown
