"""Ports, the one-instance lock and simulated time across starts."""

import socket
from pathlib import Path

import pytest

from facility.errors import InputError
from plantroom.clocks import check_same_time, clock_for, read_epoch, start_scaled
from plantroom.launch import free_port
from plantroom.lock import InstanceLock
from plantroom.settings import load_settings


def test_a_taken_port_gives_the_next_one_or_a_clear_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert free_port("127.0.0.1", taken, "--port", fixed=False) > taken
        with pytest.raises(InputError, match="choose another one with --port"):
            free_port("127.0.0.1", taken, "--port", fixed=True)


def test_one_folder_has_one_instance(tmp_path: Path) -> None:
    (tmp_path / "closed/lock").mkdir(parents=True)
    with pytest.raises(InputError, match=r"closed/lock: cannot be written.*the right to write"):
        InstanceLock(tmp_path / "closed")
    with InstanceLock(tmp_path), pytest.raises(InputError, match="in use by process"), InstanceLock(tmp_path):
        raise AssertionError
    with InstanceLock(tmp_path):
        assert (tmp_path / "lock").exists()


def test_simulated_time_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings = load_settings(var=tmp_path, clock="scaled", clock_factor=60)
    first = start_scaled(settings, first_us=1_000_000, newest_us=None)
    assert first.now_us() >= 1_000_000
    again = start_scaled(settings, first_us=1_000_000, newest_us=77_000_000)
    assert again.epoch_us == 77_000_000
    child = clock_for(settings)
    assert child.factor == 60
    assert child.now_us() >= 77_000_000


def test_a_missing_clock_file_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plantroom demo"):
        read_epoch(tmp_path / "clock.json")


def test_simulated_and_real_time_never_share_a_folder(tmp_path: Path) -> None:
    real, scaled = (load_settings(var=tmp_path, clock=clock) for clock in ("real", "scaled"))
    check_same_time(real)
    check_same_time(scaled)
    real.main.journal_folder.mkdir()
    check_same_time(real)
    with pytest.raises(InputError, match=r"real time, not simulated.*another folder with --var"):
        check_same_time(scaled)
    start_scaled(scaled, first_us=1_000_000, newest_us=None)
    check_same_time(scaled)
    with pytest.raises(InputError, match=r"simulated time, as of a demo.*another folder with --var"):
        check_same_time(real)
