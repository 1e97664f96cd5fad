"""Who is where, and what waits there: the open orders by building and place, with the people they were given to."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session

from dashboards.web.manage_view import Buildings, CrewPlace, OnPlace
from facility.registry import Registry
from ticketing import risk_rows
from ticketing.risk_rows import Spot


def crew_places(
    session: Session, registry: Registry, buildings: Buildings, names: Mapping[str, str], now: datetime
) -> list[CrewPlace]:
    """The places of `registry` with something to do, in its order, those of no place last. `names` is id -> full name.

    Late are orders past their deadline at `now` (aware UTC), as the table keeps it.
    """
    by_place: dict[tuple[str, str], list[Spot]] = {}
    for spot in risk_rows.spots(session, now, buildings):
        asset = registry.assets.get(spot.asset_id)
        place = registry.top_space(asset.space_id) if asset is not None else ""
        by_place.setdefault((spot.building_id, place), []).append(spot)
    order = {name: index for index, name in enumerate(registry.spaces)}
    towers = {name: index for index, name in enumerate(registry.buildings)}
    keys = sorted(by_place, key=lambda key: (towers.get(key[0], len(towers)), order.get(key[1], len(order))))
    return [_place(key, by_place[key], names) for key in keys if key[0] in towers]


def _place(key: tuple[str, str], spots: Iterable[Spot], names: Mapping[str, str]) -> CrewPlace:
    people: dict[str, OnPlace] = {}
    orders = late = 0
    for spot in spots:
        orders, late = orders + spot.orders, late + spot.late
        if spot.assignee:
            before = people.get(spot.assignee)
            count, there = (before.orders, before.is_there) if before is not None else (0, False)
            full = names.get(spot.assignee, "") or spot.assignee
            people[spot.assignee] = OnPlace(full, count + spot.orders, there or spot.is_there)
    return CrewPlace(*key, orders, late, sorted(people.values(), key=lambda one: (not one.is_there, one.name)))
