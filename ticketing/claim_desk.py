"""Routes faults inside the warranty to the installer, and opens the installer's follow-up visits.

The caller owns the transaction; the same call again does nothing. Which orders were looked at is kept in memory, ten
calls long: what was rolled back is made up by the next call, and a new process looks at all that are open.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from facility.asset import Asset
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from ticketing import claim_rows, repository
from ticketing.claim import Claim, decide_claim, follow_up_on
from ticketing.contract import Contract, Revision
from ticketing.contract_book import ContractBook
from ticketing.cost_desk import Basis, CostDesk
from ticketing.desk import Desk
from ticketing.level import facts_about
from ticketing.order_subject import Subject
from ticketing.payer import PayerKind, warranty_end
from ticketing.tables import WorkOrderRow
from ticketing.terms_service import ClaimTerms
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words

RULE = "plan.warranty-follow-up"
BATCH = 500
LOOK_AGAIN = 10


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """An order that is a claim, with who has it, its limits and where the warranty ends."""

    order: WorkOrderRow
    installer: str
    clause: str
    claim: Claim
    reason: str
    warranty_until: date | None


class ClaimDesk:
    """Routes claims and opens follow-ups. `registry` gives the directory in force."""

    def __init__(self, book: ContractBook, registry: Callable[[], Registry], desk: Desk, costs: CostDesk) -> None:
        self._book, self._registry, self._desk, self._costs = book, registry, desk, costs
        self._newest: deque[int] = deque([0], maxlen=LOOK_AGAIN)
        self._looked_on = date.min

    def step(self, session: Session, now: datetime) -> tuple[int, int]:
        """Route what is new and open what is due: how many claims, how many follow-ups."""
        return self.route(session, now), self._follow_up(session, now)

    def route(self, session: Session, now: datetime) -> int:
        """Give every open fault inside the warranty that nobody has yet to the installer."""
        routed = 0
        seen, newest = self._newest[0], claim_rows.newest_number(session)
        while seen < newest:
            rows = claim_rows.unassigned_faults(session, seen, BATCH)
            for row in rows:
                routed += self._route(session, row, now)
            seen = rows[-1].number if len(rows) == BATCH else newest
        self._newest.append(newest)
        return routed

    def claims(
        self, session: Session, limit: int, offset: int, buildings: frozenset[str] | None = None
    ) -> list[OpenClaim]:
        """The claims, of all buildings or of these, the newest first."""
        costs = (one.terms.costs for contract in self._book.contracts for one in contract.revisions)
        names = sorted({one.installer for one in costs if one is not None})
        rows = claim_rows.assigned_to(session, names, limit, offset, buildings)
        histories = repository.histories(session, [row.id for row in rows])
        found = []
        for row in rows:
            terms, basis = self._terms(row), self._costs.basis(row)
            if terms is not None and isinstance(basis, Basis) and basis.payer.kind is PayerKind.INSTALLER:
                history = [repository.as_change(line) for line in histories.get(row.id, ())]
                claim = decide_claim(row.opened_at, history, terms)
                payer = basis.payer
                one = OpenClaim(row, basis.terms.installer, terms.clause, claim, payer.reason, payer.warranty_until)
                found.append(one)
        return found

    def _route(self, session: Session, row: WorkOrderRow, now: datetime) -> bool:
        basis = self._costs.basis(row) if self._terms(row) is not None else None
        if not isinstance(basis, Basis) or basis.payer.kind is not PayerKind.INSTALLER:
            return False
        locked = repository.find_order(session, row.id, lock=True)
        if locked is None or locked.assignee is not None:
            return False
        words = Words(to=basis.terms.installer, note=basis.payer.reason)
        return not isinstance(carry_out(session, self._book, locked, Act(Verb.REASSIGN, "desk", now, words)), Refused)

    def _terms(self, row: WorkOrderRow) -> ClaimTerms | None:
        revision = self._book.revision(row.contract_id, row.contract_revision)
        return revision.service.claims if revision is not None else None

    def _follow_up(self, session: Session, now: datetime) -> int:
        """Once a day: every asset inside its warranty whose day for another look has come."""
        today = now.date()
        if today == self._looked_on:
            return 0
        findings: list[Finding] = []
        planned: dict[str, datetime] = {}
        for asset in self._registry().assets.values():
            for contract in self._book.contracts:
                revision = contract.revision_at(now)
                one = self._visit(asset, contract, revision, now) if revision is not None else None
                if one is not None:
                    findings.append(one[0])
                    planned[one[0].id] = one[1]
        known = repository.member_orders(session, [one.id for one in findings])
        fresh = [one for one in findings if one.id not in known]
        if not fresh:
            self._looked_on = today  # what was opened a minute ago is really there
            return 0
        return len(self._desk.receive(session, fresh, planned=planned).opened)

    def _visit(
        self, asset: Asset, contract: Contract, revision: Revision, now: datetime
    ) -> tuple[Finding, datetime] | None:
        terms, costs, registry = revision.service.claims, revision.terms.costs, self._registry()
        site = registry.buildings[asset.building_id].site_id
        if terms is None or terms.follow_up is None or costs is None or not contract.covers(site, asset.building_id):
            return None
        subject = Subject(asset.id, asset.building_id, RULE, OrderKind.PREVENTIVE, Severity.LOW)
        until, clause = warranty_end(asset, facts_about(subject, registry), costs)
        if until is None or asset.accepted_on is None:
            return None
        on = follow_up_on(asset.accepted_on, until, terms.follow_up, now.astimezone(contract.zone).date())
        if on is None or on < revision.effective_at.astimezone(contract.zone).date():
            return None
        due_at = datetime.combine(on + timedelta(days=1), time(), contract.zone).astimezone(UTC)
        return _finding(asset, on, due_at, clause, until, costs.installer, now), due_at


def _finding(
    asset: Asset, on: date, due_at: datetime, clause: str, until: date, installer: str, now: datetime
) -> Finding:
    at_us = to_us(now)
    return Finding(
        id=finding_id(RULE, asset.id, to_us(due_at)),
        rule_id=RULE,
        asset_id=asset.id,
        building_id=asset.building_id,
        kind=OrderKind.PREVENTIVE,
        severity=Severity.LOW,
        state=FindingState.ACTIVE,
        title=f"Warranty follow-up / 质保回访: {asset.name or asset.id}",
        advice=f"{installer} looks at it again, due on {on}. The warranty (clause {clause}) runs until {until}. "
        f"由 {installer} 复查，应于 {on} 前完成；质保期（条款 {clause}）至 {until}。",
        cause_key=f"{asset.id}/{RULE}/{on}",
        onset_us=at_us,
        raised_us=at_us,
        evidence=(Evidence(asset.id, "due_on", at_us, str(on), "date"),),
    )
