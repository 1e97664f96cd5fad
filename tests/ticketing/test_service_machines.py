"""The lives of requests, complaints and quotes: every state times every verb; a refusal says why and what then."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ticketing.complaint import ComplaintStatus, ComplaintVerb, Step, allowed_on_complaint, decide_complaint
from ticketing.quote import QuoteStatus, QuoteVerb, allowed_on_quote, decide_quote
from ticketing.request import (
    Declined,
    DeclinedWhy,
    RequestStatus,
    RequestVerb,
    allowed_on_request,
    decide_review,
)

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
# What may follow, written by hand from the terms: state -> verb -> the state after it.
REQUESTS = {
    "received": {"accept": "accepted", "reject": "rejected", "withdraw": "withdrawn"},
    "accepted": {"withdraw": "withdrawn"},
    "joined": {"withdraw": "withdrawn"},
    "rejected": {},
    "withdrawn": {},
}
COMPLAINTS = {
    "received": {"accept": "accepted", "withdraw": "withdrawn"},
    "accepted": {"answer": "answered", "resolve": "resolved", "withdraw": "withdrawn"},
    "answered": {"resolve": "resolved", "withdraw": "withdrawn"},
    "resolved": {"tell": "told", "reopen": "accepted"},
    "told": {"reopen": "accepted"},
    "withdrawn": {},
}
QUOTES = {
    "sent": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
    "approved": {},
    "rejected": {},
    "withdrawn": {},
}
Decide = Callable[[str, str, str, int | None], str | Declined]


def request(status: str, verb: str, note: str, seen: int | None) -> str | Declined:
    return decide_review(RequestStatus(status), 3, RequestVerb(verb), note, seen)


def complaint(status: str, verb: str, note: str, seen: int | None) -> str | Declined:
    done = decide_complaint(ComplaintStatus(status), 3, ComplaintVerb(verb), note, AT, None, seen=seen)
    return done.to_status.value if isinstance(done, Step) else done


def quote(status: str, verb: str, note: str, seen: int | None) -> str | Declined:
    return decide_quote(QuoteStatus(status), 3, QuoteVerb(verb), note, "Zhou", seen)


MACHINES: list[tuple[Decide, dict[str, dict[str, str]], list[str]]] = [
    (request, REQUESTS, list(RequestVerb)),
    (complaint, COMPLAINTS, list(ComplaintVerb)),
    (quote, QUOTES, list(QuoteVerb)),
]


@pytest.mark.parametrize(("decide", "table", "verbs"), MACHINES)
def test_every_state_times_every_verb(decide: Decide, table: dict[str, dict[str, str]], verbs: list[str]) -> None:
    for status, follows in table.items():
        for verb in verbs:
            done = decide(status, verb, "as said", None)
            if verb in follows:
                assert done == follows[verb], (status, verb)
                continue
            assert isinstance(done, Declined), (status, verb)
            assert done.why is DeclinedWhy.NOT_NOW
            assert set(done.allowed) == set(follows)
            assert verb in done.what
            assert status in done.what
            assert done.hint
            for possible in follows:
                assert possible in done.hint


@pytest.mark.parametrize(("decide", "table", "verbs"), MACHINES)
def test_a_stale_version_is_refused_whatever_the_verb(
    decide: Decide, table: dict[str, dict[str, str]], verbs: list[str]
) -> None:
    for status in table:
        for verb in verbs:
            done = decide(status, verb, "as said", 2)
            assert isinstance(done, Declined)
            assert (done.why, "version 3, not 2" in done.what) == (DeclinedWhy.STALE, True)


@pytest.mark.parametrize(
    ("decide", "status", "verb"),
    [
        (request, "received", "reject"), (complaint, "accepted", "answer"), (complaint, "accepted", "resolve"),
        (complaint, "resolved", "tell"), (complaint, "told", "reopen"), (quote, "sent", "reject"),
        (quote, "sent", "withdraw"),
    ],
)  # fmt: skip
def test_what_needs_words_is_refused_without_them(decide: Decide, status: str, verb: str) -> None:
    done = decide(status, verb, "", None)
    assert isinstance(done, Declined)
    assert done.why is DeclinedWhy.NEEDS_WORDS
    assert done.hint.startswith("Say in ")
    assert not isinstance(decide(status, verb, "because", None), Declined)


def test_the_tables_know_every_state() -> None:
    assert set(REQUESTS) == set(RequestStatus)
    assert set(COMPLAINTS) == set(ComplaintStatus)
    assert set(QUOTES) == set(QuoteStatus)
    assert allowed_on_request(RequestStatus.REJECTED) == ()
    assert allowed_on_complaint(ComplaintStatus.TOLD) == (ComplaintVerb.REOPEN,)
    assert allowed_on_quote(QuoteStatus.SENT) == tuple(QuoteVerb)
