"""Lets an instance go on with a journal that was begun anew, because the one that was judged is lost for good.

Orders, findings and readings stay; dead letters go, because the new journal's come under the same numbers. What people
set by hand (overrides, shelves, planned work) is said again in the new journal; what the rules remembered is learnt
anew, and findings that do not come again are ended.
"""

import uuid
from collections.abc import Iterator
from contextlib import closing

from facility.clock import RealClock
from facility.errors import refuse
from facility.reading import ControlEvent, MaintenanceDeclared, ParameterOverridden, Shelved
from facility.registry import Registry
from ingest.control import submit
from ingest.dead_letters import DeadLetterBox
from ingest.discovery import DeviceInbox
from ingest.journal import JournalReader
from ingest.runs import Place
from ingest.unknown_codes import UnknownCodes
from plantroom.database import Database
from plantroom.files import write_atomically
from plantroom.keeper import Keeper
from plantroom.lock import InstanceLock
from plantroom.process_name import process_name
from plantroom.series_store import open_store
from plantroom.settings import Settings
from plantroom.shard import Shard
from rules.snapshot import Plant, plant_of
from ticketing import repository
from ticketing.lease import Lease
from ticketing.tables import EngineStateRow

_RUNNING = "Stop every process of the instance first; nothing was changed."


def take_new_journal(settings: Settings, database: Database, shard: Shard) -> list[str]:
    """Make ready for the journal in `shard.journal_folder`; lines that say what was done. Safe to do again after a
    kill. Raises InputError while the instance runs, and when that journal is the one that was judged."""
    lease = Lease(database, shard.engine, process_name(), RealClock())
    with InstanceLock(settings.var), closing(Keeper(shard.keeper_lock)) as keeper:
        if not keeper.take() or not lease.hold():
            raise refuse(str(settings.var), "has an engine that runs", _RUNNING)
        try:
            with database.reading() as session:
                state = repository.load_engine_state(session, shard.engine)
            _check_is_other(shard, state)
            _rewind_followers(settings, shard, database)
            said = list(_people_said(state, RealClock().now_us()))
            for event in said:
                submit(shard.control_folder, event)
            with lease.writing() as session:
                repository.begin_anew(session, shard.engine)
        finally:
            lease.let_go()
    return [
        f"{shard.journal_folder} is judged from its beginning at the next start",
        f"{len(said)} things that people had set are said again",
        "dead letters of the journal that is lost were removed",
    ]


def _check_is_other(shard: Shard, state: EngineStateRow) -> None:
    with closing(JournalReader(shard.journal_folder)) as journal:
        is_same = journal.last_seq() > 0 and journal.common(Place(state.cursor_seq, state.run)) is not None
    if is_same or state.cursor_seq == 0:
        what = "is the journal that this database was judged from" if state.cursor_seq else "was never judged"
        raise refuse(str(shard.journal_folder), what, "Start the instance; nothing was changed.")


def _rewind_followers(settings: Settings, shard: Shard, database: Database) -> None:
    """What was taken stays taken; each begins at the first commit again, of whichever journal."""
    for seen in shard.cursors_file.parent.glob("*"):
        seen.unlink()
    store = open_store(settings, shard, Registry)
    store.rewind(0)
    store.close()
    DeadLetterBox(database.writing, shard.letters_cursor, shard=shard.name).rewind(0)
    DeviceInbox(shard.inbox_file, write_atomically).rewind(0)
    UnknownCodes(Registry, shard.codes_file, write_atomically).rewind(0)


def _people_said(state: EngineStateRow, now_us: int) -> Iterator[ControlEvent]:
    plant = plant_of(state.snapshot) if state.snapshot is not None else None
    plant = plant if plant is not None else Plant()
    for one in plant.overrides.values():
        yield ParameterOverridden(uuid.uuid4().hex, now_us, one.rule_id, one.parameter, one.scope, one.value)
    for shelf in plant.shelves.values():
        if shelf.until_us > now_us:
            yield Shelved(
                uuid.uuid4().hex, now_us, shelf.asset_id, shelf.rule_id, shelf.until_us, shelf.by, shelf.reason
            )
    for work in plant.maintenance.values():
        if work.until_us > now_us:
            yield MaintenanceDeclared(
                uuid.uuid4().hex, now_us, work.asset_id, work.from_us, work.until_us, work.by, work.reason
            )
