"""Signing in, staying signed in, and what an attacker tries, on both databases."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from people import hashed

from facility.clock import JournalClock
from facility.errors import InputError, PermanentError
from facility.instant import to_us
from plantroom.accounts import directory, repository
from plantroom.accounts.caller import Scope
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import GRACE, IDLE, LONGEST, ROTATE, AccountDoor, From
from plantroom.accounts.password import NOBODY, hash_password, is_outdated, is_password, weakness
from plantroom.accounts.role import Role
from plantroom.accounts.sign_in import LONGEST_LOCK, TRIES, SignIn, Tries, decide_sign_in
from plantroom.accounts.tables import AuditRow, TokenRow
from plantroom.database import Database
from plantroom.secret_files import make_once_code

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
BOSS, HERE = Actor("boss"), From("192.0.2.7", "a browser")
GOOD = "a quiet lift is a happy lift"
PROGRAM = "p" * 43


class Plant:
    """A door over a database with one technician, and the clock on its wall."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.once = database, folder / "once"
        self.clock = JournalClock(to_us(NOW))
        self.door = AccountDoor(database, PROGRAM, self.clock, self.once)
        with database.writing() as session:
            directory.ensure_admin(session, NOW)
            row = directory.add_user(session, BOSS, NOW, name="li.wei", role="technician")
            row.password_hash = hashed(GOOD)

    def after(self, span: timedelta) -> None:
        self.clock.advance(self.clock.now_us() + span // timedelta(microseconds=1))

    def session(self) -> str:
        entry = self.door.sign_in("li.wei", GOOD, HERE)
        assert entry.why is SignIn.IN
        return entry.session


@pytest.fixture
def plant(database: Database, tmp_path: Path) -> Plant:
    return Plant(database, tmp_path)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("x" * 201, "long"),
        ("Password1234", "common"),
        ("aaaaaaaaaaaaa", "common"),
        ("li.wei12345", "name"),
        (GOOD, None),
        ("电梯安静我就安心一整天", None),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, why: str | None) -> None:
    assert weakness(password, "li.wei") == why


def test_wrong_tries_lock_a_name_for_longer_each_time() -> None:
    tries, locks = Tries(), []
    now = NOW
    for _ in range(TRIES + 6):
        why, tries = decide_sign_in(tries, now, is_right=False, is_disabled=False)
        assert why is SignIn.WRONG
        if left := tries.left(now):
            locks.append(left)
            assert decide_sign_in(tries, now, is_right=True, is_disabled=False)[0] is SignIn.LOCKED
            now += left
    minutes = [lock // timedelta(minutes=1) for lock in locks]
    assert minutes == [1, 2, 4, 8, 15, 15, 15]
    assert locks[-1] == LONGEST_LOCK
    assert decide_sign_in(tries, now, is_right=True, is_disabled=False) == (SignIn.IN, Tries())


def test_a_session_lives_rotates_and_ends(plant: Plant) -> None:
    cookie = plant.session()
    assert plant.door.visit("") is None
    assert plant.door.visit(cookie + "x") is None
    visit = plant.door.visit(cookie)
    assert visit is not None
    assert (visit.caller.name, visit.caller.role, visit.fresh) == ("li.wei", Role.TECHNICIAN, "")
    plant.after(ROTATE + timedelta(minutes=1))
    rotated = plant.door.visit(cookie)
    assert rotated is not None
    assert rotated.fresh not in ("", cookie)
    assert plant.door.visit(cookie) is not None, "requests that were on their way"
    assert plant.door.visit(rotated.fresh) is not None
    plant.door.close_session(rotated.fresh)
    assert plant.door.visit(rotated.fresh) is None
    assert plant.door.visit(cookie) is None


def test_a_copied_session_ends_for_both_when_its_old_name_is_used(plant: Plant) -> None:
    cookie = plant.session()
    plant.after(ROTATE + timedelta(minutes=1))
    rotated = plant.door.visit(cookie)
    assert rotated is not None
    plant.after(GRACE + timedelta(seconds=1))
    assert plant.door.visit(cookie) is None
    assert plant.door.visit(rotated.fresh) is None
    assert "a name that was replaced" in _audit(plant)[0].detail


def test_a_session_ends_by_itself(plant: Plant) -> None:
    idle = plant.session()
    plant.after(IDLE + timedelta(minutes=1))
    assert plant.door.visit(idle) is None
    cookie = plant.session()
    for _ in range(LONGEST // timedelta(days=3)):
        visit = plant.door.visit(cookie)
        assert visit is not None
        cookie = visit.fresh or cookie
        plant.after(timedelta(days=3, minutes=1))
    assert plant.door.visit(cookie) is None, "a month is the longest"


def test_who_is_not_there_costs_as_much_work_as_who_is() -> None:
    made = hash_password(GOOD)
    assert not is_outdated(NOBODY), "the same parameters, so the same work"
    assert [len(part) for part in NOBODY.split("$")] == [len(part) for part in made.split("$")]
    assert NOBODY.split("$")[:4] == made.split("$")[:4]
    assert not is_password(None, GOOD)


def test_guessing_locks_and_says_nothing_of_who_exists(plant: Plant) -> None:
    assert plant.door.sign_in("nobody", GOOD, HERE).why is SignIn.WRONG
    for _ in range(TRIES):
        assert plant.door.sign_in("LI.WEI", "guess number one", HERE).why is SignIn.WRONG
    locked = plant.door.sign_in("li.wei", GOOD, HERE)
    assert (locked.why, locked.left) == (SignIn.LOCKED, timedelta(minutes=1))
    plant.after(timedelta(minutes=1, seconds=1))
    assert plant.door.sign_in("li.wei", GOOD, HERE).why is SignIn.IN


def test_whoever_is_switched_off_is_out_at_once(plant: Plant) -> None:
    cookie = plant.session()
    with plant.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        _, token = directory.add_token(session, BOSS, NOW, row, label="phone", scope="work", days=None)
    assert plant.door.by_token(token) is not None
    with plant.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        directory.disable_user(session, BOSS, NOW, row)
    assert plant.door.visit(cookie) is None
    assert plant.door.by_token(token) is None
    assert plant.door.sign_in("li.wei", GOOD, HERE).why is SignIn.DISABLED


def test_a_new_password_ends_other_sessions(plant: Plant) -> None:
    cookie = plant.session()
    with plant.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        code = directory.make_link(session, BOSS, NOW, row)
    with plant.database.writing() as session:
        assert directory.use_link(session, code + "x", "another good one", NOW, "") is None
    with pytest.raises(InputError, match="short"), plant.database.writing() as session:
        directory.use_link(session, code, "short", NOW, "")
    with plant.database.writing() as session:
        assert directory.use_link(session, code, "another good one", NOW, "") is not None
    with plant.database.writing() as session:
        assert directory.use_link(session, code, "a third good one", NOW, "") is None
    assert plant.door.visit(cookie) is None
    assert plant.door.sign_in("li.wei", GOOD, HERE).why is SignIn.WRONG
    assert plant.door.sign_in("li.wei", "another good one", HERE).why is SignIn.IN


def test_a_token_keeps_its_scope_and_its_end(plant: Plant) -> None:
    with plant.database.writing() as session:
        row = repository.find_user(session, "li.wei")
        assert row is not None
        token, text = directory.add_token(session, BOSS, NOW, row, label="dashboard", scope="read", days=1)
        for wrong in ({"label": "x", "scope": "root"}, {"label": " ", "scope": "read"}):
            with pytest.raises(InputError):
                directory.add_token(session, BOSS, NOW, row, days=None, **wrong)
    caller = plant.door.by_token(text)
    assert caller is not None
    assert (caller.scope, caller.may_change) == (Scope.READ, False)
    assert plant.door.open_session(text, HERE).why is SignIn.WRONG, "a narrow token opens no session"
    with plant.database.reading() as session:
        kept = session.get(TokenRow, token.id)
        assert kept is not None
        assert text not in (kept.hash, kept.hint)
        assert kept.used_at is not None
    plant.after(timedelta(days=1, seconds=1))
    assert plant.door.by_token(text) is None


def test_the_one_time_link_works_once(plant: Plant) -> None:
    assert plant.door.use_once("", HERE) is None
    code = make_once_code(plant.once)
    assert stat.S_IMODE(plant.once.stat().st_mode) == 0o600
    assert plant.door.use_once(code + "x", HERE) is None
    session = plant.door.use_once(code, HERE)
    assert session is not None
    visit = plant.door.visit(session)
    assert visit is not None
    assert visit.caller.role is Role.ADMIN
    assert plant.door.use_once(code, HERE) is None


def test_the_last_admin_stays(plant: Plant) -> None:
    with plant.database.writing() as session:
        row = repository.find_user(session, "admin")
        assert row is not None
        with pytest.raises(PermanentError, match="last admin"):
            directory.disable_user(session, BOSS, NOW, row)
        with pytest.raises(PermanentError, match="last admin"):
            directory.change_user(session, BOSS, NOW, row, role="engineer", buildings=[], known_buildings=[])


@pytest.mark.parametrize(
    ("name", "role", "buildings", "says"),
    [
        ("a b", "admin", [], "no user name"),
        ("LI.WEI", "admin", [], "already"),
        ("new", "janitor", [], "janitor"),
        ("new", "customer", [], "at least one"),
        ("new", "customer", ["towr"], "did you mean 'tower'"),
    ],
)
def test_a_user_that_cannot_be_says_why(plant: Plant, name: str, role: str, buildings: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says), plant.database.writing() as session:
        directory.add_user(session, BOSS, NOW, name=name, role=role, buildings=buildings, known_buildings=["tower"])


def test_the_audit_says_who_did_what_and_is_never_edited(plant: Plant) -> None:
    plant.session()
    plant.door.sign_in("nobody", "x" * 12, HERE)
    rows = _audit(plant)
    assert [(row.what, row.about) for row in rows[:2]] == [("sign-in refused", "nobody"), ("signed in", "li.wei")]
    assert rows[0].address == "192.0.2.7"
    for statement in ("UPDATE account_audit SET who = 'x'", "DELETE FROM account_audit"):
        with pytest.raises(Exception, match="only appended"), plant.database.writing() as session:
            session.connection().exec_driver_sql(statement)


def _audit(plant: Plant) -> list[AuditRow]:
    with plant.database.reading() as session:
        return list(repository.list_audit(session, limit=50))
