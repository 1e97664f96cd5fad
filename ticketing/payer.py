"""Who pays for a repair: the installer inside the warranty, else the customer, or the fee covers it. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from facility.asset import Asset
from ticketing.contract_match import Match
from ticketing.level import LevelFacts, covers
from ticketing.plan import add_months
from ticketing.terms import CostTerms, Season, WarrantyTerm


class PayerKind(StrEnum):
    """Whose cost it is."""

    INSTALLER = "installer"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, under which clause, why, and until which day (inclusive) a warranty runs or ran."""

    kind: PayerKind
    clause: str
    reason: str
    warranty_until: date | None = None


def decide_payer(asset: Asset, facts: LevelFacts, on: date, costs: CostTerms) -> Payer:
    """Who pays for a fault that began on a local date.

    A date on the asset itself comes before the contract's terms; of the terms that match, the one that names most.
    """
    until, clause = warranty_end(asset, facts, costs)
    if until is not None and on <= until and (asset.accepted_on is None or on >= asset.accepted_on):
        why = f"Inside the warranty, which runs until {until}: {costs.installer} pays."
        return Payer(PayerKind.INSTALLER, clause, why, until)
    past = f"The warranty ended on {until}." if until is not None else "No warranty is known."
    if costs.chargeable:
        return Payer(PayerKind.CUSTOMER, costs.clause, f"{past} The work is chargeable by the cost standard.", until)
    return Payer(PayerKind.SUPPLIER, costs.clause, f"{past} The monthly fee covers the work.", until)


def warranty_end(asset: Asset, facts: LevelFacts, costs: CostTerms) -> tuple[date | None, str]:
    """The last day of an asset's warranty and the clause; None when it has no date of acceptance or no term."""
    if asset.warranty_until is not None:
        return asset.warranty_until, "asset register"
    known = [one for one in costs.warranty if covers(one.match, facts)]
    if asset.accepted_on is None or not known:
        return None, ""
    term = max(known, key=lambda one: len(_parts(one.match)))
    return _end(asset.accepted_on, term), term.clause


def _parts(match: Match) -> tuple[str, ...]:
    return tuple(match.parts())


def _end(accepted_on: date, term: WarrantyTerm) -> date:
    if term.season is None:
        return add_months(accepted_on, term.months) - timedelta(days=1)
    return _season_end(accepted_on, term.seasons, term.season)


def _season_end(accepted_on: date, count: int, season: Season) -> date:
    """The last day of the `count`-th whole season after acceptance; one that had begun by then is not whole."""
    year = accepted_on.year
    if _day(year, season.first) < accepted_on:
        year += 1
    last = year + count - 1
    return _day(last + (season.last < season.first), season.last)


def _day(year: int, day: tuple[int, int]) -> date:
    month, number = day
    return date(year, month, min(number, monthrange(year, month)[1]))
