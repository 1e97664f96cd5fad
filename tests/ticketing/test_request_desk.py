"""Requests, complaints and surveys from end to end, on both kinds of database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from people import Remembered, service_book

from facility.finding import Finding, Severity
from facility.registry import Registry
from plantroom.database import Database
from ticketing import complaint_rows, repository, service_rows, survey_rows
from ticketing.complaint import ComplaintStatus, ComplaintVerb
from ticketing.complaint_desk import Grievance
from ticketing.contract_book import ContractBook
from ticketing.kpi import By
from ticketing.kpi_period import parse_period
from ticketing.kpi_read import read_period
from ticketing.kpi_views import kpi_view
from ticketing.request import Declined, Entry, RequestStatus, RequestVerb
from ticketing.request_desk import Review
from ticketing.service_desks import Minute, ServiceDesks
from ticketing.survey import SurveyStatus
from ticketing.tables_service import ComplaintRow, RequestRow, SurveyRow
from ticketing.transition import Act, carry_out
from ticketing.work_order import Refused, Verb, Words

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Shanghai
HOT = Entry("tower", "Too hot in room 3", "air_conditioning", asset_id="ahu-1", contact="chen@example.org")


class People:
    """Everything that people meet."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self.database, self.registry = database, registry
        self.book: ContractBook = service_book()
        self.told = Remembered()
        self.desks = ServiceDesks(self.book, lambda: registry, self.told)

    def send(self, entry: Entry, at: datetime = AT) -> RequestRow:
        with self.database.writing() as session:
            row = self.desks.requests.receive(session, entry, at)
        assert isinstance(row, RequestRow), row
        return row

    def review(self, request: str, verb: RequestVerb, at: datetime = AT, note: str = "ok") -> RequestRow | Declined:
        with self.database.writing() as session:
            row = service_rows.find(session, RequestRow, "RQ-", request, lock=True)
            assert row is not None
            return self.desks.requests.review(session, row, Review(verb, "Wang", at, note))

    def work(self, order: str, at: datetime) -> None:
        for verb in (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT):
            with self.database.writing() as session:
                row = repository.find_order(session, order, lock=True)
                assert row is not None
                done = carry_out(session, self.book, row, Act(verb, "Li", at, Words("as said")))
                assert not isinstance(done, Refused), done

    def complain(self, said: Grievance, at: datetime = AT) -> ComplaintRow:
        with self.database.writing() as session:
            row = self.desks.complaints.receive(session, said, at)
        assert isinstance(row, ComplaintRow), row
        return row

    def step(self, at: datetime) -> Minute:
        with self.database.writing() as session:
            return self.desks.step(session, at)

    def surveys(self) -> list[SurveyRow]:
        with self.database.reading() as session:
            return list(survey_rows.list_surveys(session, limit=100))

    def answer(self, survey: str, answers: dict[str, object], at: datetime) -> SurveyRow | Declined:
        with self.database.writing() as session:
            row = survey_rows.find_survey(session, survey, lock=True)
            assert row is not None
            return self.desks.surveys.answer(session, row, answers, "Nobody called", at)


@pytest.fixture
def people(database: Database, registry: Registry) -> People:
    return People(database, registry)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_a_request_has_the_limits_of_the_contract_and_becomes_an_order(people: People) -> None:
    request = people.send(HOT)
    assert (request.status, request.review_due_at, request.visit_due_at) == ("received", AT + hours(24), AT + hours(48))
    (word,) = people.told.told("request")
    assert word.to == ("dispatcher",)
    accepted = people.review(request.id, RequestVerb.ACCEPT, AT + hours(1))
    assert isinstance(accepted, RequestRow)
    assert accepted.status == RequestStatus.ACCEPTED
    with people.database.reading() as session:
        order = repository.find_order(session, str(accepted.order_id))
        assert order is not None
        assert (order.kind, order.asset_id, order.severity) == ("fault", "ahu-1", Severity.MEDIUM)
        assert "Too hot in room 3" in order.title
        lines = service_rows.histories(session, "request", [request.id])[request.id]
    assert [line.verb for line in lines] == ["receive", "accept"]
    assert people.told.words[f"{request.id}/accept/2"].contact == "chen@example.org"
    people.work(str(accepted.order_id), AT + hours(2))  # nothing stands against accepting it: no reading speaks for it


def test_a_second_request_about_the_same_thing_joins_the_first(people: People) -> None:
    first = people.send(HOT)
    second = people.send(Entry("tower", "Room 4 is hot as well", "air_conditioning", asset_id="ahu-1"), AT + hours(5))
    assert (second.status, second.joined_to) == (RequestStatus.JOINED, first.id)
    accepted = people.review(first.id, RequestVerb.ACCEPT, AT + hours(6))
    assert isinstance(accepted, RequestRow)
    with people.database.reading() as session:
        again = service_rows.find(session, RequestRow, "RQ-", "2")
        assert again is not None
        assert again.order_id == accepted.order_id
    third = people.send(Entry("tower", "And room 5", asset_id="ahu-1"), AT + hours(7))
    assert third.order_id == accepted.order_id
    people.work(str(accepted.order_id), AT + hours(8))
    with people.database.writing() as session:
        row = repository.find_order(session, str(accepted.order_id), lock=True)
        assert row is not None
        carry_out(session, people.book, row, Act(Verb.CLOSE, "Li", AT + hours(9)))
    assert people.send(HOT, AT + hours(10)).status == RequestStatus.RECEIVED  # that order is closed
    assert people.send(Entry("tower", "Lamp out", "lighting"), AT + hours(10)).status == RequestStatus.RECEIVED


def test_an_earlier_request_outside_the_window_is_not_a_duplicate(people: People) -> None:
    people.send(HOT)
    assert people.send(HOT, AT + timedelta(days=4)).status == RequestStatus.RECEIVED


def test_the_same_key_gives_the_same_request(people: People) -> None:
    entry = Entry("tower", "Lamp out", "lighting", key="phone-1")
    assert people.send(entry).id == people.send(entry, AT + hours(1)).id


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (Entry("towr", "Lamp out"), "did you mean 'tower'?"),
        (Entry("tower", "Lamp out", asset_id="ahu-9"), "did you mean 'ahu-1'?"),
        (Entry("tower", "Lamp out", space_id="cellar"), "not a known space"),
    ],
)
def test_a_request_about_nothing_we_know_is_refused(people: People, entry: Entry, what: str) -> None:
    with people.database.writing() as session:
        refused = people.desks.requests.receive(session, entry, AT)
    assert isinstance(refused, Declined)
    assert what in refused.what


def test_a_rejection_needs_a_reason_and_a_reviewed_request_is_reviewed_once(people: People) -> None:
    request = people.send(HOT)
    refused = people.review(request.id, RequestVerb.REJECT, note="")
    assert isinstance(refused, Declined)
    assert refused.hint == "Say in `note` why; the sender reads it."
    people.review(request.id, RequestVerb.REJECT, note="Not ours")
    again = people.review(request.id, RequestVerb.ACCEPT)
    assert isinstance(again, Declined)
    assert again.what == "cannot accept a request that is rejected"


def test_a_complaint_runs_its_own_clocks(people: People) -> None:
    row = people.complain(Grievance("Nobody came", asset_id="lift-1", contact="chen"))
    assert row.accept_due_at == AT + hours(2)
    assert (row.answer_due_at, row.resolve_due_at) == (AT + hours(24), AT + hours(72))
    assert (row.equipment_class, row.supplier, row.building_id) == ("elevator", "S", "tower")
    for verb, after in (("accept", 1), ("answer", 20), ("resolve", 60), ("tell", 70)):
        with people.database.writing() as session:
            found = service_rows.find(session, ComplaintRow, "CP-", "CP-000001", lock=True)
            assert found is not None
            step = people.desks.complaints.act(session, found, ComplaintVerb(verb), "Wang", AT + hours(after), "said")
            assert isinstance(step, ComplaintRow), step
    with people.database.reading() as session:
        done = service_rows.find(session, ComplaintRow, "CP-", row.id)
    assert done is not None
    assert (done.status, done.tell_due_at, done.told_at) == (ComplaintStatus.TOLD, AT + hours(84), AT + hours(70))


def test_an_urgent_complaint_has_shorter_limits_and_goes_to_the_manager_at_once(people: People) -> None:
    row = people.complain(Grievance("Water everywhere", building_id="tower", urgent=True))
    assert (row.accept_due_at, row.resolve_due_at) == (AT + timedelta(minutes=30), AT + hours(24))
    assert row.escalated_at == AT
    (word,) = people.told.told("complaint")
    assert (word.to, word.urgent) == (("manager",), True)


def test_a_complaint_whose_limit_passed_is_escalated_once(people: People) -> None:
    people.complain(Grievance("Nobody came", building_id="tower"))
    assert people.step(AT + hours(2)).escalated == 0  # a breach is after the deadline
    assert people.step(AT + hours(2.1)).escalated == 1
    assert people.step(AT + hours(3)).escalated == 0


def test_a_complaint_about_the_same_matter_is_a_repeat(people: People) -> None:
    first = people.complain(Grievance("Nobody came", asset_id="lift-1"))
    again = people.complain(Grievance("Still nobody", asset_id="lift-1"), AT + timedelta(days=20))
    other = people.complain(Grievance("Dark", building_id="tower"), AT + timedelta(days=21))
    later = people.complain(Grievance("Nobody", asset_id="lift-1"), AT + timedelta(days=60))
    assert (first.repeat_of, again.repeat_of, other.repeat_of, later.repeat_of) == (None, first.id, None, None)
    assert again.escalated_at is not None


def good(**changes: object) -> dict[str, object]:
    return {"speed": 5, "solved": 5, "skill": 5, "communication": 4, "costs": 5, **changes}


def completed(people: People) -> str:
    request = people.send(HOT)
    accepted = people.review(request.id, RequestVerb.ACCEPT)
    assert isinstance(accepted, RequestRow)
    people.work(str(accepted.order_id), AT + hours(2))
    return str(accepted.order_id)


def test_a_survey_follows_the_completion_reminds_and_closes(people: People) -> None:
    order = completed(people)
    assert people.step(AT + hours(2.1)).sent == 1
    assert people.step(AT + hours(2.2)) == Minute(0, 0, 0, 0)
    (survey,) = people.surveys()
    assert (survey.order_id, survey.contact, survey.supplier) == (order, "chen@example.org", "S")
    sent_at = survey.sent_at
    reminded = [people.step(sent_at + timedelta(days=days)).reminded for days in (1, 2, 3, 5, 6)]
    assert reminded == [0, 1, 0, 1, 0]
    assert people.step(sent_at + timedelta(days=10)).expired == 1
    late = people.answer(survey.id, good(), sent_at + timedelta(days=11))
    assert isinstance(late, Declined)
    assert [word.key.split("/", 1)[1] for word in people.told.told("survey")] == ["send", "remind/1", "remind/2"]


def test_answers_become_a_weighted_score_that_the_figures_show(people: People) -> None:
    completed(people)
    people.step(AT + hours(3))
    (survey,) = people.surveys()
    answered = people.answer(survey.id, good(), AT + hours(5))
    assert isinstance(answered, SurveyRow)
    assert answered.score_hundredths == 967  # (10 + 2 x 10 + 10 + 8 + 10) / 6
    assert not complaints(people)
    with people.database.reading() as session:
        reading = read_period(session, people.book, people.registry, parse_period("2026-03"), AT + hours(6))
    view = kpi_view(reading, By.CLASS).groups["ahu"]
    assert (view["satisfaction"].value, view["response_compliance"].value) == (9.67, 100.0)
    assert isinstance(people.answer(survey.id, good(), AT + hours(6)), Declined)


def complaints(people: People) -> list[ComplaintRow]:
    with people.database.reading() as session:
        return list(complaint_rows.list_complaints(session, limit=10))


def test_a_low_answer_opens_a_complaint_about_the_order(people: People) -> None:
    order = completed(people)
    people.step(AT + hours(3))
    (survey,) = people.surveys()
    people.answer(survey.id, good(communication=2), AT + hours(5))
    (complaint,) = complaints(people)
    assert (complaint.order_id, complaint.survey_id, complaint.asset_id) == (order, survey.id, "ahu-1")
    assert complaint.text == "Low answers to communication (2). Nobody called"


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        (good(speed=6), "the answer to 'speed' is 6; expected 1 to 5"),
        (good(speed=True), "the answer to 'speed' is True; expected 1 to 5"),
        (good(sped=3), "did you mean 'speed'?"),
        ({"speed": 3}, "the questions solved, skill, communication, costs are not answered"),
    ],
)
def test_a_wrong_answer_says_which_and_what_may_be_answered(
    people: People, answers: dict[str, object], what: str
) -> None:
    completed(people)
    people.step(AT + hours(3))
    (survey,) = people.surveys()
    refused = people.answer(survey.id, answers, AT + hours(5))
    assert isinstance(refused, Declined)
    assert what in refused.what
    (still,) = people.surveys()
    assert still.status == SurveyStatus.SENT


def test_the_half_yearly_form_is_sent_once_for_each_building_and_half_year(people: People) -> None:
    january = datetime(2026, 1, 1, 1, tzinfo=UTC)
    july = datetime(2026, 6, 30, 17, tzinfo=UTC)
    assert [people.step(at).sent for at in (january, january + hours(1))] == [1, 0]
    (survey,) = people.surveys()
    assert (survey.form_kind, survey.subject, survey.contact) == ("nps", "tower/2026-H1", "")
    people.answer(survey.id, {"recommend": 9}, january + hours(5))
    (answered,) = people.surveys()
    assert (answered.nps, answered.score_hundredths) == (9, None)
    assert [people.step(at).sent for at in (AT, july)] == [0, 0]  # in March too late; revision 2 has no forms
