"""The outbox and its receivers: signed, retried, known by key, never lost or doubled by a kill, on both databases."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from receiver import Receiver

from facility.clock import JournalClock
from facility.instant import to_us
from plantroom.database import Database
from ticketing.courier import WORKERS, Courier
from ticketing.egress import Egress
from ticketing.lease import Lease, LeaseLostError
from ticketing.notice import Notice
from ticketing.notice_apprise import tell
from ticketing.outbox_rows import CLAIM_FOR, claim, list_messages, put
from ticketing.roster import Channel, Person, Roster, Webhook
from ticketing.tables_outbox import OutboxRow
from ticketing.webhook import verify

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SECRET = "a secret of another system"  # noqa: S105 - of the test's own receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as listening:
        yield listening


class Post:
    """A process that sends: its own connection, lease and courier, on a wall clock that the test moves."""

    def __init__(self, url: str, wall: JournalClock, receiver: Receiver, name: str) -> None:
        dead = Channel("dead", "json://127.0.0.1:9/")
        chat = Channel("chat", f"json://127.0.0.1:{receiver.port}/chat")
        people = {"li": Person("li", "Li", channels=(chat,)), "chen": Person("chen", "Chen", channels=(dead, chat))}
        hook = Webhook("erp", f"http://127.0.0.1:{receiver.port}/hook", SECRET)
        self.database = Database(url)
        self.lease = Lease(self.database, "jobs", name, wall)
        self.wall = wall
        roster = Roster(ZoneInfo("Asia/Shanghai"), people, webhooks=(hook,))
        self.courier = Courier(self.lease, lambda: roster, tell, Egress("127.0.0.0/8"), wall, wall, name)

    def put(self, *notices: Notice) -> None:
        with self.database.writing() as session:
            put(session, notices, self.wall.now(), self.wall.now())

    def run(self, rounds: int = 6) -> None:
        """Send and settle, a second of the wall clock after each round."""
        for _ in range(rounds):
            assert self.lease.hold()
            self.courier.step()
            wait_idle(self.courier)
            self.courier.step()
            later(self.wall, 1)

    def rows(self) -> dict[str, OutboxRow]:
        with self.database.reading() as session:
            return {row.key: row for row in list_messages(session, None, 1000, 0)}


def wait_idle(courier: Courier) -> None:
    """Until every try has ended; the tries themselves say when."""
    pause = threading.Event()
    for _ in range(2_000):
        if courier.is_idle:
            return
        pause.wait(0.01)
    pytest.fail("a try took longer than 20 s")


def later(wall: JournalClock, seconds: float) -> None:
    wall.advance(wall.now_us() + int(seconds * 1e6))


def hook(key: str) -> Notice:
    return Notice(key, "webhook", "opened", "", "erp", ("erp",), "en", "erp", f'{{"id": "{key}"}}', AT)


def note(key: str, person: str, channels: tuple[str, ...] = ("chat",), *, urgent: bool = False) -> Notice:
    return Notice(key, "notice", "opened", "", person, channels, "en", f"subject of {key}", "body", AT, urgent)


@pytest.fixture
def wall() -> JournalClock:
    return JournalClock(to_us(AT))


@pytest.fixture
def post(database: Database, wall: JournalClock, receiver: Receiver) -> Iterator[Post]:
    one = Post(database.url.render_as_string(hide_password=False), wall, receiver, "one")
    yield one
    one.courier.close()
    one.database.close()


def test_a_webhook_is_signed_and_says_its_key_and_its_event(post: Post, receiver: Receiver) -> None:
    post.put(hook("wo/1"))
    post.run(1)
    assert receiver.taken == {"wo/1": 1}
    headers, body = receiver.headers["wo/1"], receiver.bodies["wo/1"]
    assert headers["X-Plantroom-Event"] == "opened"
    assert verify(SECRET, "wo/1", body, headers["X-Plantroom-Signature"])
    assert not verify("another secret", "wo/1", body, headers["X-Plantroom-Signature"])
    assert not verify(SECRET, "wo/1", body + " ", headers["X-Plantroom-Signature"])
    row = post.rows()["wo/1"]
    assert (row.state, row.tries, row.delivered_by, row.claimed_by) == ("delivered", 1, "erp", None)


def test_what_the_receiver_cannot_take_now_is_tried_again_with_the_same_key(post: Post, receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    post.put(hook("wo/1"))
    post.run(1)
    assert (post.rows()["wo/1"].state, post.rows()["wo/1"].error) == (
        "waiting", "erp: the receiver answered 503 Service Unavailable")  # fmt: skip
    post.run()
    assert receiver.taken == {"wo/1": 1}
    assert (post.rows()["wo/1"].state, post.rows()["wo/1"].tries) == ("delivered", 3)


def test_what_the_receiver_refuses_for_good_is_given_up_with_its_reason(post: Post, receiver: Receiver) -> None:
    receiver.answers = [400, 400]
    post.put(hook("wo/1"))
    post.run(2)
    row = post.rows()["wo/1"]
    assert (row.state, row.tries, row.error) == ("failed", 1, "erp: the receiver answered 400 Bad Request")


def test_a_person_is_told_through_apprise(post: Post, receiver: Receiver) -> None:
    post.put(note("n", "li"))
    post.run(1)
    assert receiver.taken == {"n": 1}  # known by its key
    assert '"message": "body"' in receiver.bodies["n"]


def test_a_dead_channel_falls_to_the_next(post: Post, receiver: Receiver) -> None:
    post.put(note("n", "chen", ("dead", "chat")))
    post.run(4)
    row = post.rows()["n"]
    assert (row.state, row.tries, row.delivered_by) == ("delivered", 3, "chat")
    post.put(note("u", "chen", ("dead", "chat"), urgent=True))
    post.run(2)
    assert (post.rows()["u"].tries, post.rows()["u"].delivered_by) == (2, "chat")
    assert set(receiver.taken) == {"n", "u"}


def test_nothing_is_sent_before_its_instant(post: Post, receiver: Receiver, wall: JournalClock) -> None:
    early = Notice("q", "notice", "opened", "", "li", ("chat",), "en", "later", "b", AT + timedelta(minutes=5))
    post.put(early)
    post.run(2)
    assert receiver.taken == {}
    later(wall, 300)
    post.run(1)
    assert set(receiver.taken) == {"q"}


def test_the_same_key_is_put_in_once(post: Post, receiver: Receiver) -> None:
    post.put(hook("wo/1"), hook("wo/1"))
    post.put(hook("wo/1"))
    post.run(2)
    assert receiver.taken == {"wo/1": 1}


def test_of_two_senders_one_has_a_message(post: Post, database: Database) -> None:
    post.put(hook("wo/1"), hook("wo/2"))
    with database.writing() as session:
        assert [row.key for row in claim(session, AT, AT, "one", 1)] == ["wo/1"]
    with database.writing() as session:
        assert [row.key for row in claim(session, AT, AT, "two", 9)] == ["wo/2"]
    with database.writing() as session:
        assert claim(session, AT, AT, "two", 9) == []
        assert len(claim(session, AT, AT + CLAIM_FOR, "two", 9)) == 2


def test_a_process_that_is_killed_after_sending_loses_nothing_and_the_receiver_knows_the_key(
    post: Post, database: Database, wall: JournalClock, receiver: Receiver
) -> None:
    post.put(hook("wo/1"), note("wo/2", "li"))
    assert post.lease.hold()
    post.courier.step()
    wait_idle(post.courier)  # both were sent; the process is killed before it can write that down
    later(wall, CLAIM_FOR.total_seconds() + 1)
    heir = Post(database.url.render_as_string(hide_password=False), wall, receiver, "heir")
    heir.run(1)
    assert {row.state for row in heir.rows().values()} == {"delivered"}
    assert receiver.taken == {"wo/1": 2, "wo/2": 2}  # each came twice with its one key
    with pytest.raises(LeaseLostError):
        post.courier.step()  # had it only been stopped: it writes nothing when it wakes
    heir.courier.close()
    heir.database.close()


def test_a_leader_that_ends_writes_down_what_was_on_its_way(
    post: Post, database: Database, wall: JournalClock, receiver: Receiver
) -> None:
    receiver.open.clear()
    post.put(note("wo/1", "li"), hook("wo/2"))
    assert post.lease.hold()
    post.courier.step()
    assert receiver.wait_for(2)  # the receiver has both and has answered neither
    ending = threading.Thread(target=post.courier.close)
    ending.start()
    receiver.open.set()
    ending.join(20)
    heir = Post(database.url.render_as_string(hide_password=False), wall, receiver, "heir")
    later(wall, CLAIM_FOR.total_seconds() + 1)
    heir.run(1)
    assert {row.state for row in heir.rows().values()} == {"delivered"}
    assert receiver.taken == {"wo/1": 1, "wo/2": 1}
    heir.courier.close()
    heir.database.close()


def test_a_leader_that_ends_in_the_beat_in_which_it_sends_leaves_the_rest_to_the_next(
    post: Post, database: Database, wall: JournalClock, receiver: Receiver
) -> None:
    post.put(*(note(f"wo/{number}", "li") for number in range(WORKERS)))
    post.run(1)  # every worker waits for work now
    keys = [f"wo/{number}" for number in range(WORKERS, 2 * WORKERS)]
    post.put(*(note(key, "li") for key in keys))
    assert post.lease.hold()
    post.courier.step()
    post.courier.close()
    post.lease.let_go()
    heir = Post(database.url.render_as_string(hide_password=False), wall, receiver, "heir")
    later(wall, CLAIM_FOR.total_seconds() + 1)
    heir.run(2)
    assert {row.state for row in heir.rows().values()} == {"delivered"}
    assert set(receiver.taken.values()) == {1}
    heir.courier.close()
    heir.database.close()


def test_what_is_on_its_way_when_its_leader_is_stopped_waits_for_its_claim(
    post: Post, database: Database, wall: JournalClock, receiver: Receiver
) -> None:
    receiver.open.clear()
    post.put(note("wo/1", "li"))
    assert post.lease.hold()
    post.courier.step()
    assert receiver.wait_for(1)
    later(wall, 3)  # longer than a lease, shorter than a claim: another process leads now
    heir = Post(database.url.render_as_string(hide_password=False), wall, receiver, "heir")
    heir.run(1)
    assert (heir.rows()["wo/1"].state, receiver.taken) == ("waiting", {"wo/1": 1})
    receiver.open.set()
    wait_idle(post.courier)
    with pytest.raises(LeaseLostError):
        post.courier.close()  # the one before wakes: it leads no more and writes nothing
    assert heir.rows()["wo/1"].state == "waiting"
    later(wall, CLAIM_FOR.total_seconds())
    heir.run(1)
    assert (heir.rows()["wo/1"].state, receiver.taken) == ("delivered", {"wo/1": 2})
    heir.courier.close()
    heir.database.close()
