"""Open pages are told of what changes: only in their buildings, never waiting for a slow one, to the end."""

import asyncio
import json
import threading
from datetime import UTC, datetime

from asking import Client
from fastapi import FastAPI
from preview.plant import TOKEN, PreviewDoor, PreviewPlant

from dashboards.web.change_feed import MOST_WAITING, Change, ChangeFeed
from dashboards.web.router import web_router

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MINE, THEIRS = Change("order", "wo_1", "mine", "arrive"), Change("finding", "f_2", "theirs", "active")


def publish(feed: ChangeFeed, *changes: Change) -> None:
    """From another thread, as the engine does."""
    thread = threading.Thread(target=feed.publish, args=(changes,))
    thread.start()
    thread.join()


def test_a_page_hears_of_its_own_buildings_only() -> None:
    async def listen() -> tuple[list[Change], list[Change]]:
        feed = ChangeFeed()
        with feed.listen(frozenset({"mine"})) as one, feed.listen(None) as all_:
            publish(feed, THEIRS, MINE)
            return await one.wait(60), await all_.wait(60)

    assert asyncio.run(listen()) == ([MINE], [THEIRS, MINE])


def test_a_page_that_does_not_keep_up_keeps_the_newest_and_holds_up_nobody() -> None:
    async def listen() -> list[Change]:
        feed = ChangeFeed()
        with feed.listen(None) as slow:
            for number in range(10 * MOST_WAITING):
                publish(feed, Change("order", str(number), "mine"))
            return await slow.wait(60)

    told = asyncio.run(listen())
    assert len(told) == MOST_WAITING
    assert told[-1].id == str(10 * MOST_WAITING - 1)


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
        feed = ChangeFeed()
        with feed.listen(None):
            heard = feed.is_heard
        publish(feed, MINE)
        return heard, feed.is_heard

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
