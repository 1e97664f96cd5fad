"""The terms of a revision beside its levels, in words: clocks, modifiers, escalations, penalties, warranty, costs."""

from collections.abc import Iterable
from decimal import Decimal

from facility.instant import format_duration
from ticketing.contract import OPENING, NamedClock, Revision, ServiceLevel
from ticketing.limit import format_hours
from ticketing.plan import Visit
from ticketing.terms import CostTerms, Escalation, EscalationUnit, Modifier, ModifierKind, PenaltyTerms, WarrantyTerm


def explain_terms(revision: Revision) -> list[str]:
    """Blocks of lines, an empty line before each; nothing for terms the revision does not have."""
    terms = revision.terms
    blocks = [
        ("Other clocks:", [line for level in revision.every for line in _clocks(level)]),
        ("Pause caps:", [line for level in revision.every for line in _caps(level)]),
        ("Limits are modified in this order:", [f"{n}. {_modifier(one)}" for n, one in enumerate(terms.modifiers, 1)]),
        ("Repeats:", [line for level in revision.every for line in _repeat(level)]),
        ("Escalations:", [_escalation(one) for one in terms.escalations]),
        ("Penalties:", _penalties(terms.penalties) if terms.penalties is not None else []),
        ("Costs and warranty:", _costs(terms.costs) if terms.costs is not None else []),
    ]
    blocks.append(("Visits by calendar:", [_visit(one) for one in revision.visits]))
    return [line for head, lines in blocks if lines for line in ("", head, *(f"  {each}" for each in lines))]


def _clause(clause: str) -> str:
    return f" (clause {clause})" if clause else ""


def _clocks(level: ServiceLevel) -> Iterable[str]:
    for one in level.clocks:
        yield f"{level.id}: {one.name} within {one.promise.limit}, {_span(one)}{_clause(one.clause or level.clause)}"


def _span(clock: NamedClock) -> str:
    return f"from {'the opening' if clock.starts == OPENING else clock.starts} to {clock.stops}"


def _caps(level: ServiceLevel) -> Iterable[str]:
    promises = (("response", level.response), ("resolution", level.resolution))
    for name, promise in (*promises, *((one.name, one.promise) for one in level.clocks)):
        for reason, cap in promise.caps:
            yield f"{level.id}: {reason.replace('_', ' ')} pauses {name} for {format_duration(cap)} at most"


def _repeat(level: ServiceLevel) -> Iterable[str]:
    if level.repeat is not None:
        window = format_duration(level.repeat.window)
        then = "reopens its order" if level.repeat.action == "reopen" else "opens an order that names the one before"
        yield f"{level.id}: the same cause within {window} after closing {then}"


def _modifier(one: Modifier) -> str:
    when = {
        ModifierKind.OFF_PEAK: f"opened outside {one.calendar.name if one.calendar is not None else ''}",
        ModifierKind.WEATHER: f"weather warning {' or '.join(sorted(one.warnings))}",
        ModifierKind.KEY_EQUIPMENT: "key equipment",
    }[one.kind]
    what = [f"limit x {one.factor}"] if one.factor != 1 else []
    what += [f"+ {format_hours(one.add)}"] if one.add else []
    what += [f"priority up by {one.priority_up}"] if one.priority_up else []
    where = f" of {', '.join(sorted(one.clocks))}" if one.clocks else ""
    levels = f", levels {', '.join(sorted(one.levels))}" if one.levels else ""
    return f"{one.id}{_clause(one.clause)}: {when}: {', '.join(what)}{where}{levels}"


def _escalation(one: Escalation) -> str:
    at = f"{one.percent} %" if one.unit is EscalationUnit.PERCENT else f"{format_duration(one.offset)} {one.unit}"
    levels = f", levels {', '.join(sorted(one.levels))}" if one.levels else ""
    return f"{one.id}: {at} of {one.clock} tells {', '.join(one.to)}{levels}"


def _penalties(terms: PenaltyTerms) -> Iterable[str]:
    for one in terms.terms:
        each = f"{one.amount} {terms.currency}" if one.amount is not None else f"{one.percent} % of the monthly fee"
        clocks = f" of {', '.join(sorted(one.clocks))}" if one.clocks else ""
        yield f"{one.id}{_clause(one.clause)}: {each} per {one.per.replace('_', ' ')}{clocks}, for {one.match}"
    if terms.cap is not None:
        yield f"no more than {terms.cap} {terms.currency} a {terms.cap_period}; force majeure waives"
    if terms.corrective_after is not None:
        yield f"{terms.corrective_after} breaches in a month: corrective action"


def _costs(costs: CostTerms) -> Iterable[str]:
    money = costs.currency
    if costs.chargeable:
        free = f", parts up to {costs.free_parts_up_to} {money} free" if costs.free_parts_up_to else ""
        prices = f"labour {costs.labour_per_hour} {money} an hour, call-out {_price(costs.call_out, money)}"
        yield f"outside the warranty{_clause(costs.clause)}: {prices}{free}"
    else:
        yield f"outside the warranty{_clause(costs.clause)}: the monthly fee covers the work"
    if costs.quote_above is not None:
        yield f"a quote is approved first above {costs.quote_above} {money}"
    for one in costs.warranty:
        yield f"warranty of {costs.installer}{_clause(one.clause)}: {one.match}: {_lasts(one)} from acceptance"


def _price(amount: Decimal, currency: str) -> str:
    return f"{amount} {currency}" if amount else "free"


def _visit(one: Visit) -> str:
    first = f" from {one.first_on}" if one.first_on is not None else ""
    more = [f"{one.follows.value} dates"] + (["statutory"] if one.statutory else [])
    more += [f"up to {one.early_days} days early"] if one.early_days else []
    more += [f"makes up for {', '.join(one.contains)}"] if one.contains else []
    more += [f"missed ones: {one.catch_up}", f"{len(one.checklist)} items"]
    return f"{one.id}{_clause(one.clause)}: {one.name}: {one.match}: {one}{first}; {', '.join(more)}"


def _lasts(term: WarrantyTerm) -> str:
    if term.season is not None:
        return f"{term.seasons} whole {term.season.name}s"
    years, months = divmod(term.months, 12)
    return f"{years} years" if not months else f"{term.months} months"
