"""A `kill -9` of Mosquitto with our settings: what it loses of what it had acknowledged to devices."""

import re

import pytest
from brokers import program
from running import ROOT

from bench.broker_kill_bench import lose

RATE = 500


def interval_s() -> int:
    """Seconds between two snapshots, by our configuration."""
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    assert "autosave_on_changes" not in text
    found = re.search(r"^autosave_interval (\d+)$", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_the_page_says_what_the_configuration_says() -> None:
    page = (ROOT / "docs/production.md").read_text(encoding="utf-8")
    assert f"one every {interval_s()} s (`autosave_interval`)" in page


@pytest.mark.soak
@pytest.mark.service
def test_with_ingest_connected_nothing_that_was_acknowledged_is_lost() -> None:
    program("mosquitto")
    for seconds in (2.3, 3.1):
        acknowledged, lost = lose(interval_s(), RATE, seconds, connected=True)
        assert acknowledged > RATE
        assert lost <= RATE * 0.05, "what is on its way in this very instant"


@pytest.mark.soak
@pytest.mark.service
def test_with_ingest_away_no_more_is_lost_than_came_since_the_last_snapshot() -> None:
    program("mosquitto")
    for seconds in (4.2, 5.9):
        acknowledged, lost = lose(interval_s(), RATE, seconds, connected=False)
        assert acknowledged > RATE * 3
        assert lost <= RATE * (interval_s() + 1.5)
        assert lost < acknowledged, "a snapshot came between"
