"""Who waits for the journal begins with the site files as they are when it is its turn, broken ones left aside."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ingest.journal import JournalError, JournalWriter
from plantroom.journal_turn import WarmSite, await_journal
from plantroom.settings import Settings, load_settings

SITE = (
    "site: {{id: s, zone: UTC}}\nbuildings: [{{id: b, assets: [{{id: {asset}, class: tank, points: [tank_level]}}]}}]\n"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "site.yaml").write_text(SITE.format(asset="tank-1"), encoding="utf-8")
    return load_settings(var=tmp_path / "var", site=[tmp_path / "site.yaml"])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


@pytest.mark.parametrize(
    ("text", "asset"), [(SITE.format(asset="tank-2"), "tank-2"), ("site: {id: s, zone: Nowhere}\n", "tank-1")]
)
def test_it_begins_with_the_files_of_its_turn(
    settings: Settings, pool: ThreadPoolExecutor, text: str, asset: str
) -> None:
    site, folder = WarmSite(settings), settings.main.journal_folder
    with closing(JournalWriter(folder)) as first:
        first.append(1, [])
        waits: Future[JournalWriter | None] = pool.submit(
            await_journal, partial(JournalWriter, folder), site, threading.Event()
        )
        settings.site[0].write_text(text, encoding="utf-8")
        assert not waits.done()
        first.append(2, [])
    journal = waits.result(30)
    assert journal is not None
    with closing(journal):
        assert journal.last_seq == 2
        assert set(site.registry.assets) == {asset}


def test_it_waits_in_vain_when_it_has_to_end(settings: Settings, pool: ThreadPoolExecutor) -> None:
    site, folder, stop = WarmSite(settings), settings.main.journal_folder, threading.Event()
    with closing(JournalWriter(folder)):
        waits = pool.submit(await_journal, partial(JournalWriter, folder), site, stop)
        stop.set()
        assert waits.result(30) is None
        with pytest.raises(JournalError, match="another process writes the journal"):
            JournalWriter(folder)
