"""What meters of assets showed, read off by people or by telemetry, and what they counted. Nothing commits here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session, col, select

from ticketing.request import Declined
from ticketing.statements import insert_into
from ticketing.tables_work import MeterRow

TELEMETRY = "telemetry"
KEEP_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter showed at an instant (aware UTC)."""

    value: float
    at: datetime


class MeterSource(Protocol):
    """Where counters of assets are read."""

    def read(self, asset_id: str, meter: str) -> Shown | None:
        """What the counter shows now; None when there is none, or nothing good was read."""


def newest_value(session: Session, asset_id: str, meter: str, until: datetime | None = None) -> Shown | None:
    """The newest value, or the newest at an instant."""
    query = select(MeterRow).where(MeterRow.asset_id == asset_id, MeterRow.meter == meter)
    if until is not None:
        query = query.where(col(MeterRow.at) <= until)
    row = session.exec(query.order_by(col(MeterRow.at).desc()).limit(1)).first()
    return Shown(row.value, row.at) if row is not None else None


def keep_value(session: Session, asset_id: str, meter: str, shown: Shown, source: str) -> None:
    """Keep what was read; the same instant again is the newer word."""
    insert = insert_into(session.get_bind().dialect.name, MeterRow).values(
        asset_id=asset_id, meter=meter, at=shown.at, value=shown.value, source=source
    )
    changed = {"value": insert.excluded.value, "source": insert.excluded.source}
    session.execute(insert.on_conflict_do_update(index_elements=["asset_id", "meter", "at"], set_=changed))


def read_off(
    session: Session, asset_id: str, meter: str, value: float, at: datetime, by: str, *, reset: bool
) -> Shown | Declined:
    """Keep what somebody reads off at `at` (aware UTC). Less than before only after a `reset`."""
    if not (isfinite(value) and value >= 0):
        return Declined(f"{value:g} is nothing a meter shows", "Write a number of 0 or more.")
    last = newest_value(session, asset_id, meter)
    if last is not None and value < last.value and not reset:
        what = f"{meter} showed {last.value:g} already; {value:g} is less"
        return Declined(what, "Read it again, or say `reset` when the meter was changed.")
    shown = Shown(value, at)
    keep_value(session, asset_id, meter, shown, by)
    return shown


def keep_counter(session: Session, asset_id: str, meter: str, value: float, at: datetime) -> None:
    """Keep what telemetry counts, at most once an hour, and whenever it has gone back (it was changed or reset)."""
    last = newest_value(session, asset_id, meter)
    if last is None or at - last.at >= KEEP_EVERY or (value < last.value and at > last.at):
        keep_value(session, asset_id, meter, Shown(value, at), TELEMETRY)


def counted_since(session: Session, asset_id: str, meter: str, since: datetime | None, now: datetime) -> float | None:
    """What the meter has counted since an instant (None: since it was first read); None when nobody has read it.

    A meter that goes back was changed or reset: it counts on from there.
    """
    base = newest_value(session, asset_id, meter, since) if since is not None else None
    query = sa.select(col(MeterRow.value)).where(
        col(MeterRow.asset_id) == asset_id, col(MeterRow.meter) == meter, col(MeterRow.at) <= now
    )
    if base is not None:
        query = query.where(col(MeterRow.at) >= base.at)
    elif since is not None:
        query = query.where(col(MeterRow.at) >= since)
    values: list[float] = list(session.execute(query.order_by(col(MeterRow.at))).scalars())
    if not values:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(values))
