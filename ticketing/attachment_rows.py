"""Attachments in the tables: whose they are, what was kept, and under which hash it lies on disk."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing import repository, service_rows
from ticketing.attachment import AttachmentKind, Owner, OwnerKind
from ticketing.photo import Photo
from ticketing.service_rows import insert, is_name, new_id
from ticketing.statements import chunks, row_count
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import AttachmentRow, ComplaintRow, RequestRow


def find_owner(session: Session, kind: OwnerKind, name: str, *, lock: bool = False) -> Owner | None:
    """An order, a request or a complaint by id or number; with `lock`, held until the transaction ends."""
    if kind is OwnerKind.ORDER:
        order = repository.find_order(session, name, lock=lock)
        return Owner(kind, order.id, order.building_id) if order is not None else None
    row: RequestRow | ComplaintRow | None
    if kind is OwnerKind.REQUEST:
        row = service_rows.find(session, RequestRow, "RQ-", name, lock=lock)
    else:
        row = service_rows.find(session, ComplaintRow, "CP-", name, lock=lock)
    return Owner(kind, row.id, row.building_id) if row is not None else None


def attachments_of(session: Session, kind: OwnerKind, owner_ids: Iterable[str]) -> list[AttachmentRow]:
    """The attachments of these, the oldest first."""
    found: list[AttachmentRow] = []
    for part in chunks(owner_ids):
        query = select(AttachmentRow).where(AttachmentRow.owner_kind == kind, col(AttachmentRow.owner_id).in_(part))
        found += session.exec(query)
    return sorted(found, key=lambda row: (row.at, row.id))


def requests_of_order(session: Session, order_id: str) -> list[str]:
    """Ids of the requests that an order came from, or that joined one of those."""
    first = list(session.exec(select(RequestRow.id).where(RequestRow.order_id == order_id)))
    joined = select(RequestRow.id).where(col(RequestRow.joined_to).in_(first)) if first else None
    return sorted({*first, *(session.exec(joined) if joined is not None else ())})


def find_attachment(session: Session, attachment_id: str) -> AttachmentRow | None:
    """One by its id."""
    return session.get(AttachmentRow, attachment_id) if is_name(attachment_id) else None


def named_hashes(session: Session, hashes: Iterable[str]) -> set[str]:
    """Those of these hashes that an attachment names, as its picture or its thumbnail."""
    found: set[str] = set()
    for part in chunks(hashes):
        for column in (col(AttachmentRow.sha256), col(AttachmentRow.thumbnail_sha256)):
            found |= set(session.scalars(sa.select(column).where(column.in_(part))))
    return found


def drop_ownerless(session: Session, before: datetime) -> int:
    """Drop the attachments kept before an instant whose order, request or complaint is not there; how many."""
    tables = ((OwnerKind.ORDER, WorkOrderRow), (OwnerKind.REQUEST, RequestRow), (OwnerKind.COMPLAINT, ComplaintRow))
    dropped = 0
    for kind, table in tables:
        owner = sa.select(1).where(col(table.id) == AttachmentRow.owner_id).exists()
        lost = sa.delete(AttachmentRow).where(
            col(AttachmentRow.owner_kind) == kind.value, col(AttachmentRow.at) < before, ~owner
        )
        dropped += row_count(session.execute(lost))
    return dropped


def keep(
    session: Session, owner: Owner, kind: AttachmentKind, photo: Photo, hashes: tuple[str, str], at: datetime, by: str
) -> AttachmentRow:
    """Keep that it belongs to the owner; `hashes` are those of the picture and its thumbnail on disk."""
    row = AttachmentRow(
        id=new_id("at"), owner_kind=owner.kind, owner_id=owner.id, kind=kind, media_type=photo.media_type,
        size=len(photo.content), width=photo.width, height=photo.height, sha256=hashes[0],
        thumbnail_sha256=hashes[1], at=at, by=by,
    )  # fmt: skip
    return insert(session, row)
