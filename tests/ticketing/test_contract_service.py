"""What the samples promise to people: each deadline below was worked out by hand from the text of its contract."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from people import contract_text, service_book

from facility.errors import InputError
from ticketing.complaint import limits
from ticketing.contract import Revision
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract
from ticketing.promised import due_at
from ticketing.request import Declined
from ticketing.survey import judge_answers
from ticketing.terms_service import Scale, SendOn

FOLDER = Path(__file__).parents[2] / "examples/contracts"
SAMPLES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def revision(name: str) -> Revision:
    return parse_contract((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml").revisions[0]


def local(text: str, name: str) -> datetime:
    return datetime.fromisoformat(text + ("+01:00" if name == "hospital" else "+08:00"))


@pytest.mark.parametrize(
    ("name", "sent", "review", "visit"),
    [
        # 24 and 48 hours around the clock
        ("office-tower", "2026-03-06T17:00", "2026-03-07T17:00", "2026-03-08T17:00"),
        ("residential-estate", "2026-03-06T17:00", "2026-03-07T17:00", "2026-03-08T17:00"),
        # reviewed in 4 h; looked at by the end of the next open day, and wards close at 22:00 every day
        ("hospital", "2026-02-10T21:00", "2026-02-11T01:00", "2026-02-11T22:00"),
    ],
)
def test_a_request(name: str, sent: str, review: str, visit: str) -> None:
    terms = revision(name).service.requests
    assert terms is not None
    at = local(sent, name)
    assert due_at(terms.review, terms.calendar, at) == local(review, name)
    assert due_at(terms.visit, terms.calendar, at) == local(visit, name)


@pytest.mark.parametrize(
    ("name", "urgent", "hours"),
    [
        ("office-tower", False, {"accept": 2, "answer": 24, "resolve": 72, "tell": 24}),
        ("office-tower", True, {"accept": 0.5, "answer": 4, "resolve": 24, "tell": 24}),
        ("hospital", False, {"accept": 1, "answer": 8, "resolve": 48, "tell": 24}),
        ("hospital", True, {"accept": 0.25, "answer": 1, "resolve": 8, "tell": 24}),
        ("residential-estate", False, {"accept": 2, "answer": 24, "resolve": 72, "tell": 24}),
        ("residential-estate", True, {"accept": 0.5, "answer": 24, "resolve": 48, "tell": 24}),
    ],
)
def test_a_complaint(name: str, urgent: bool, hours: dict[str, float]) -> None:
    at = local("2026-03-06T23:00", name)
    found = limits(revision(name).service.complaints, at, urgent=urgent)
    assert found == {clock: at + timedelta(hours=number) for clock, number in hours.items()}


def test_the_estate_scores_by_weights_on_a_scale_of_a_hundred() -> None:
    terms = revision("residential-estate").service.surveys
    assert terms is not None
    form = terms.forms[0]
    assert {one.scale for one in form.questions} == {Scale.HUNDRED}
    judged = judge_answers(form, terms, {"speed": 100, "solved": 80, "skill": 60, "communication": 80, "costs": 40})
    assert not isinstance(judged, Declined)
    # (20 x 100 + 40 x 80 + 15 x 60 + 15 x 80 + 10 x 40) / 100 = 77 of 100; 40 of 100 is 2 of 5, so it is low
    assert (judged.score, judged.low) == (Decimal("7.70"), ("costs",))
    refused = judge_answers(form, terms, {"speed": 90, "solved": 80, "skill": 60, "communication": 80, "costs": 40})
    assert isinstance(refused, Declined)
    assert refused.what == "the answer to 'speed' is 90; expected 0, 40, 60, 80, 100"


def test_the_hospital_asks_the_five_dimensions_of_servqual_twice_a_year() -> None:
    terms = revision("hospital").service.surveys
    assert terms is not None
    form = terms.forms[1]
    assert form.send_on is SendOn.HALF_YEAR
    judged = judge_answers(form, terms, {one.id: 4 for one in form.questions} | {"reliability": 5})
    assert not isinstance(judged, Declined)
    assert judged.score == Decimal("8.64")  # (68 x 8 + 32 x 10) / 100


@pytest.mark.parametrize("name", SAMPLES)
def test_every_promise_to_people_is_in_the_explanation(name: str) -> None:
    contract = parse_contract((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")
    text = "\n".join(explain_contract(contract))
    service = contract.revisions[0].service
    assert service.requests is not None
    assert service.complaints is not None
    assert service.surveys is not None
    assert service.claims is not None
    for part in (service.requests, service.complaints, service.surveys, service.claims):
        assert part.clause in text
    assert service.clauses
    for one in service.clauses:
        assert f"{one.about} (clause {one.clause}): {one.text}" in text
    for form in service.surveys.forms:
        assert f"{form.id}: {form.kind}" in text


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("    requests: {calendar: night, review: 24 h}\n", "'night' is not a known calendar of this revision"),
        ("    requests: {calendar: office, review: soon}\n", "'soon' is not a"),
        ("    complaints: {calendar: always, accept: 2 h, answer: 24 h}\n", "resolve"),
        ("    surveys: {forms: []}\n", "forms"),
        ("    surveys: {forms: [{id: a, kind: repair}, {id: a, kind: nps}]}\n", "two forms have the same id"),
        ("    surveys: {forms: [{id: a, kind: repair, weights: {sped: 2}}]}\n", "'sped' is no question"),
        ("    surveys: {forms: [{id: a, kind: nps, scale: 1-5}]}\n", "the NPS has a scale of its own"),
        ("    surveys: {forms: [{id: a, kind: repair, closes: 2 days, reminders: [3 days]}]}\n", "before it closes"),
        ("    claims: {calendar: office, plan: 24 h, visit: 48 h, follow_up: often}\n", "'often' is no interval"),
        ("    complaint: {calendar: office}\n", "complaint"),
        ("    clauses: [{clause: '9', about: upgrades}]\n", "text"),
    ],
)
def test_a_wrong_term_is_refused_with_its_line(more: str, what: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_contract(contract_text(more), "contract.yaml")
    assert what in str(refused.value)
    assert all(problem.line for problem in refused.value.problems)


def test_terms_for_people_are_those_of_the_revision_in_force() -> None:
    (contract,) = service_book().contracts
    assert [one.service.requests is not None for one in contract.revisions] == [True, False]
