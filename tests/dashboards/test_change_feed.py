"""Open pages are told of what changes: only in their buildings, never waiting for a slow one, to the end."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.change_feed import MOST_WAITING, Change, ChangeFeed, Told
from dashboards.web.router import web_router
from dashboards.web.stamps import KEPT_SECONDS, Stamps
from facility.clock import JournalClock
from facility.instant import to_us

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CLOCK = JournalClock(to_us(NOW))
MINE, THEIRS = (
    Change("order", "wo_1", "mine", "lift-1", "arrive"),
    Change("finding", "f_2", "theirs", "ahu-1", "active"),
)


def publish(feed: ChangeFeed, *changes: Change) -> None:
    """From another thread, as the engine does."""
    thread = threading.Thread(target=feed.publish, args=(changes,))
    thread.start()
    thread.join()


def ids(told: list[Told]) -> list[str]:
    return [one.id for one in told]


def test_a_page_hears_of_its_own_buildings_only() -> None:
    async def listen() -> tuple[list[str], list[str]]:
        feed = ChangeFeed()
        with feed.listen(frozenset({"mine"})) as one, feed.listen(None) as all_:
            publish(feed, THEIRS, MINE)
            return ids(await one.wait(60)), ids(await all_.wait(60))

    assert asyncio.run(listen()) == (["wo_1"], ["f_2", "wo_1"])


def test_what_is_told_says_where_when_and_how_far_the_changes_have_come() -> None:
    async def listen() -> tuple[Told, str]:
        feed = ChangeFeed(clock=CLOCK)
        with feed.listen(None) as listener:
            publish(feed, THEIRS, MINE)
            return (await listener.wait(60))[-1], feed.token

    told, token = asyncio.run(listen())
    assert told == Told("order", "wo_1", "mine", "lift-1", "arrive", token, round(NOW.timestamp() * 1000))
    assert token.endswith("-2")


def test_a_page_that_does_not_keep_up_is_told_to_look_at_everything_and_holds_up_nobody() -> None:
    async def listen() -> tuple[list[Told], str]:
        feed = ChangeFeed()
        with feed.listen(None) as slow:
            for number in range(MOST_WAITING + 1):
                publish(feed, Change("order", str(number), "mine"))
            return await slow.wait(60), feed.token

    (told,), token = asyncio.run(listen())
    assert (told.what, told.token) == ("", token)


def test_a_page_made_before_a_change_or_by_another_process_can_tell() -> None:
    feed = ChangeFeed()
    before = feed.token
    assert feed.token == before
    feed.publish([MINE])  # though nobody listens
    assert feed.token not in (before, ChangeFeed().token)
    client = client_of(feed)
    assert f'data-seen="{feed.token}"' in client.get("/").text
    assert client.get("/live").json()["token"] == feed.token


def test_when_the_program_stops_every_stream_ends_and_no_other_begins() -> None:
    async def listen() -> tuple[bool, bool, bool]:
        feed = ChangeFeed()
        with feed.listen(None) as listener:
            feed.close()
            assert await listener.wait(60) == []
            first = listener.is_over
        with feed.listen(None) as late:
            await late.wait(60)
            return first, late.is_over, feed.is_full

    assert asyncio.run(listen()) == (True, True, True)


def test_who_has_gone_is_not_told() -> None:
    async def listen() -> tuple[bool, bool]:
        feed = ChangeFeed(most=1)
        with feed.listen(None):
            heard = feed.is_full
        publish(feed, MINE)
        return heard, feed.is_full

    assert asyncio.run(listen()) == (True, False)


def client_of(feed: ChangeFeed) -> Client:
    app = FastAPI()
    app.include_router(web_router(PreviewPlant(NOW), PreviewDoor("m.chen"), feed=feed))
    client = Client(app, "http://plant.local")
    client.post("/login", data={"token": TOKEN}, headers={"Origin": "http://plant.local"})
    return client


def test_the_stream_begins_with_the_clock_and_says_goodbye() -> None:
    answer = client_of(ChangeFeed()).get("/events?seconds=0")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    retry, pulse, bye = answer.text.strip().split("\n\n")
    assert retry == "retry: 2000"
    name, data = pulse.splitlines()
    assert name == "event: pulse"
    assert json.loads(data.removeprefix("data: "))["now_ms"] == round(NOW.timestamp() * 1000)
    assert bye.splitlines() == ["event: bye", 'data: {"again":true}']


def test_with_too_many_pages_one_more_is_told_to_ask_by_itself() -> None:
    answer = client_of(ChangeFeed(most=0)).get("/events?seconds=0")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert client_of(ChangeFeed()).get("/events?seconds=301").status_code == 422


def test_nobody_listens_without_signing_in() -> None:
    app = FastAPI()
    app.include_router(web_router(PreviewPlant(NOW), PreviewDoor("m.chen")))
    assert Client(app, "http://plant.local").get("/events").status_code == 303


def test_a_pulse_has_the_stamps_of_what_the_page_watches() -> None:
    answer = client_of(ChangeFeed()).get("/events?seconds=0&watch=values/asset/ahu-1,values/asset/nowhere,nonsense")
    data = json.loads(answer.text.split("data: ")[1].splitlines()[0])
    assert data["stamps"] == {"values/asset/ahu-1": ANY, "values/asset/nowhere": "0", "nonsense": ""}
    assert int(data["stamps"]["values/asset/ahu-1"]) > 0


def test_a_stamp_changes_with_its_values_and_is_worked_out_once_a_second() -> None:
    steady, plant = [0.0], PreviewPlant(NOW)
    stamps, topics = Stamps(lambda: steady[0]), ["values/building/tower-a", "pending"]
    first = stamps.of(plant, None, topics)
    plant.now += timedelta(minutes=1)
    assert stamps.of(plant, None, topics) == first
    steady[0] = KEPT_SECONDS
    later = stamps.of(plant, None, topics)
    assert later[topics[0]] != first[topics[0]]
    assert later["pending"] == first["pending"]
