"""Orders on the pages: what is first, countdowns, verbs, refusals, and forms that come from elsewhere."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asking import Client
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.countdown import CountdownState, by_time_left, count_down, is_breached, next_due
from dashboards.web.order_view import DeadlineView, OrderFilter
from dashboards.web.origin import Origin, judge_origin, own_path
from dashboards.web.router import web_router

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOST = "http://plant.local"
OWN = {"Origin": HOST}


def signed_in(plant: PreviewPlant) -> Client:
    app = FastAPI()
    app.include_router(web_router(plant, PreviewDoor("m.chen")))
    client = Client(app, HOST)
    client.post("/login", data={"token": TOKEN}, headers=OWN)
    return client


def test_a_verb_is_applied_in_the_name_of_the_visitor_and_shown() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    order = next(each for each in plant.work_orders() if each.rule_id == "water-leak")
    answer = client.post(f"/work-orders/{order.id}/acknowledge", data={"note": " on my way <b> "}, headers=OWN)
    assert answer.status_code == 303
    text = client.get(answer.headers["location"]).text
    assert "Done: Acknowledge." in text
    assert "on my way &lt;b&gt;" in text
    after = plant.work_order(order.id)
    assert after is not None
    assert (after.status, after.history[-1].by, after.history[-1].note) == ("acknowledged", "m.chen", "on my way <b>")


def test_what_is_hers_and_open_is_not_said_to_be_taken() -> None:
    plant = PreviewPlant(NOW)
    order = next(each for each in plant.work_orders() if each.status == "open")
    plant.add_order(replace(order, assignee="m.chen"))
    for language, title in (("en", "Assigned to me"), ("zh", "分派给我的")):
        text = signed_in(plant).get(f"/my?lang={language}").text
        mine = text[text.index('id="h-1"') : text.index('id="h-2"')]
        assert title in mine
        assert f'data-order="{order.id}" data-status="open"' in mine


def test_what_to_do_is_said_in_the_language_of_the_page() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    order = next(each for each in plant.work_orders() if each.rule_id == "elevator-entrapment")
    assert order.advice in client.get(f"/work-orders/{order.id}").text
    chinese = client.get(f"/work-orders/{order.id}?lang=zh").text
    assert "（elevator-entrapment）的处理建议" in chinese
    assert order.advice not in chinese
    assert order.diagnoses[0] in chinese, "a text without a translation stays as it is"


def test_a_note_of_the_program_names_the_finding_in_the_language_of_the_page() -> None:
    plant = PreviewPlant(NOW)
    order = next(each for each in plant.work_orders() if each.rule_id == "elevator-entrapment")
    name = plant.registry().assets[order.asset_id].name
    english, chinese = f"still active: Passenger trapped: {name}", f"仍未恢复：Passenger trapped: {name}"
    line = replace(order.history[0], note=english, note_zh=chinese)
    plant.add_order(replace(order, history=[line]))
    client = signed_in(plant)
    assert f"<br>{english}" in client.get(f"/work-orders/{order.id}").text
    assert "仍未恢复：乘客被困: " in client.get(f"/work-orders/{order.id}?lang=zh").text


def test_a_refused_verb_shows_the_reason_and_keeps_what_was_typed() -> None:
    plant = PreviewPlant(NOW)
    order = next(each for each in plant.work_orders() if each.status == "open")
    answer = signed_in(plant).post(f"/work-orders/{order.id}/close", data={"note": "all fine"}, headers=OWN)
    assert answer.status_code == 409
    assert "Not done: " in answer.text
    assert "possible now: acknowledge, arrive, cancel" in answer.text
    assert ">all fine</textarea>" in answer.text
    assert plant.work_order(order.id) == order


def test_holding_an_order_asks_why_and_pauses_its_clock() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    order = next(each for each in plant.work_orders() if each.status == "arrived")
    path = f"/work-orders/{order.id}"
    assert '<option value="third_party">third party</option>' in client.get(path).text
    refused = client.post(f"{path}/hold", headers=OWN)
    assert refused.status_code == 409
    assert "holding an order needs a reason" in refused.text
    client.post(f"{path}/hold", data={"reason": "access"}, headers=OWN)
    text = client.get(path).text
    assert "On hold" in text
    assert "Clock paused: access" in text
    client.post(f"{path}/resume", data={"reason": "access"}, headers=OWN)
    assert "Clock paused" not in client.get(path).text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Referer": "http://evil.example/plant.local"},
     {"Origin": HOST, "Sec-Fetch-Site": "cross-site"}, {"Origin": "http://plant.local:81"}, {"Origin": "http://["}],
)  # fmt: skip
def test_a_form_from_elsewhere_changes_nothing(headers: dict[str, str]) -> None:
    plant = PreviewPlant(NOW)
    order = plant.work_orders()[0]
    client = signed_in(plant)
    for path in (f"/work-orders/{order.id}/{order.verbs[0]}", "/logout", "/login"):
        answer = client.post(path, data={"token": TOKEN}, headers=headers)
        assert answer.status_code == 403, path
        assert "did not come from our own page" in answer.text
    assert plant.work_order(order.id) == order
    assert client.get("/").status_code == 200


def test_origin_compares_the_host_and_not_the_scheme() -> None:
    assert judge_origin({"host": "a.example", "origin": "https://a.example"}) is Origin.OWN
    assert judge_origin({"host": "a.example", "referer": "https://A.example/x"}) is Origin.OWN
    assert judge_origin({"host": "a.example"}) is Origin.UNKNOWN
    assert judge_origin({"origin": "https://a.example"}) is Origin.UNKNOWN


@settings(deadline=None)
@given(st.text(max_size=40))
def test_own_path_is_always_a_path_of_ours(text: str) -> None:
    path = own_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert "\n" not in path


def test_an_unknown_order_or_a_note_too_long_is_refused() -> None:
    client = signed_in(PreviewPlant(NOW))
    assert client.post("/work-orders/none/acknowledge", headers=OWN).status_code == 404
    order = PreviewPlant(NOW).work_orders()[0]
    answer = client.post(f"/work-orders/{order.id}/arrive", data={"note": "x" * 2001}, headers=OWN)
    assert answer.status_code == 422


def test_the_list_is_filtered_and_sorted_by_time_left() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    text = client.get("/work-orders").text
    places = [text.index(order.number) for order in by_time_left(plant.work_orders())]
    assert places == sorted(places)
    preventive = client.get("/work-orders?kind=preventive").text
    assert "Orders: 1<" in preventive
    assert "Filter nearly loaded" in preventive
    assert "No open orders." in client.get("/work-orders?show=done").text
    assert "Supply air off" in client.get("/work-orders?asset=ahu-1&severity=high").text
    assert client.get("/work-orders?show=wrong").status_code == 422


def test_a_long_list_goes_on_page_by_page_and_keeps_its_filters() -> None:
    plant = PreviewPlant(NOW)
    model = next(each for each in plant.work_orders() if each.kind == "fault")
    for number in range(250):
        plant.add_order(replace(model, id=f"more-{number}", number=f"WO-9{number:05}"))
    client = signed_in(plant)
    count = plant.count_orders(is_open=True, only=OrderFilter(kind="fault"))
    seen, path = set[str](), "/work-orders?kind=fault"
    for _ in range(-(-count // 100)):
        text = client.get(path).text
        seen |= set(re.findall(r"WO-\d{6}", text))
        further = re.search(r'rel="next" href="([^"]+)"', text)
        path = f"/work-orders{html.unescape(further[1])}" if further else ""
        assert not further or "kind=fault" in path
    assert path == "", "the last page leads nowhere"
    assert len(seen) == count
    beyond = client.get("/work-orders?kind=fault&page=99").text
    assert f"of {count}" in beyond
    assert 'rel="prev"' in beyond
    assert client.get("/work-orders?page=0").status_code == 422


def test_an_order_shows_deadlines_clause_pause_and_their_explanation() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    order = next(each for each in plant.work_orders() if each.deadlines[1].paused)
    text = client.get(f"/work-orders/{order.id}").text
    expected = ["paused, 7 h 12 min left", "Clock paused: parts", "Clause 5.1", "limit 8 h"]
    expected += ["harbour-2026, revision 2", "Check list", "Find the cause", "How the deadlines came about"]
    for words in expected:
        assert words in text
    default = next(each for each in plant.work_orders() if each.is_default_level)
    assert "No level of the contract matches" in client.get(f"/work-orders/{default.id}").text


def test_a_deadline_is_breached_after_it_and_not_at_it() -> None:
    due = DeadlineView("response", NOW)
    assert count_down(due, NOW).state is CountdownState.SOON
    assert count_down(due, NOW + timedelta(microseconds=1)).state is CountdownState.OVER
    assert count_down(due, NOW - timedelta(hours=1)).state is CountdownState.RUNNING
    assert count_down(DeadlineView("response", NOW, stopped_at=NOW), NOW).state is CountdownState.MET
    late = DeadlineView("response", NOW, stopped_at=NOW + timedelta(minutes=5))
    assert (count_down(late, NOW).state, count_down(late, NOW).span) == (CountdownState.MISSED, timedelta(minutes=5))
    paused = DeadlineView("resolution", NOW, paused="parts", left=timedelta(hours=3))
    assert count_down(paused, NOW + timedelta(days=9)).span == timedelta(hours=3)
    with pytest.raises(ValueError, match="aware UTC"):
        DeadlineView("response", datetime(2026, 1, 1))  # noqa: DTZ001 - the naive one is what is refused


def test_what_is_due_next_leaves_out_what_stands_still() -> None:
    plant = PreviewPlant(NOW)
    by_rule = {order.rule_id: order for order in plant.work_orders()}
    assert next_due(by_rule["elevator-entrapment"]) is None
    leak = by_rule["water-leak"]
    assert next_due(leak) == leak.opened_at + timedelta(minutes=15)
    assert is_breached(leak, NOW)
    assert by_time_left(plant.work_orders())[0] == leak


def test_a_refused_form_keeps_each_field_and_says_why_beside_it() -> None:
    plant = PreviewPlant(NOW)
    client = signed_in(plant)
    order = next(each for each in plant.work_orders() if each.status == "arrived")
    said = {"note": "lift <key>", "proof": "letter 7", "reason": ""}
    text = client.post(f"/work-orders/{order.id}/hold", data=said, headers=OWN).text
    assert 'id="error-hold" role="alert">holding an order needs a reason' in text
    assert 'name="proof" value="letter 7"' in text
    assert ">lift &lt;key&gt;</textarea>" in text
    assert text.index('id="step-diagnose"') < text.index('id="step-repair"') < text.index('id="step-test"')


def test_a_diagnosis_from_the_list_goes_before_the_words() -> None:
    plant = PreviewPlant(NOW)
    order = next(each for each in plant.work_orders() if each.status == "arrived")
    given = {"diagnosis": "Valve stuck", "checked": ["Valve shut", "Floor dry"], "note": "replaced"}
    signed_in(plant).post(f"/work-orders/{order.id}/complete", data=given, headers=OWN)
    after = plant.work_order(order.id)
    assert after is not None
    assert after.history[-1].note == "Valve stuck. Valve shut. Floor dry. replaced"
