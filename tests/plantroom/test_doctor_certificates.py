"""The doctor says in time which certificates end, whoever shows them, and one command makes new ones."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from commanding import Commands
from cryptography import x509
from running import free_ports

from facility.clock import JournalClock, RealClock
from facility.instant import to_us
from plantroom.certificate_watch import CertificateWatch
from plantroom.certificates import AUTHORITY_LASTS, SERVER_LASTS, Pair, hosts_of, issue, make_authority
from plantroom.doctor import Verdict
from plantroom.doctor_certificates import check_certificates
from plantroom.doctor_servers import check_store
from plantroom.production_files import Place
from plantroom.settings import Settings, load_settings

NOW = RealClock().now()


def make(root: Path, made: datetime, *, authority: datetime = NOW) -> Place:
    """An installation whose servers' certificates were made at this instant."""
    place = Place(root)
    signer = Pair(place.authority, place.authority_key)
    for path in (place.authority, place.authority_key):
        path.parent.mkdir(parents=True, exist_ok=True)
    make_authority(signer, authority)
    for certificate, key in place.servers.values():
        issue(signer, Pair(certificate, key), ["plant.example", "192.0.2.7"], made)
    return place


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[str]:
    """Where a server shows the broker's certificate, 15 days before its end."""
    place = make(tmp_path / "shown", NOW - SERVER_LASTS + timedelta(days=15))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*place.servers["mosquitto"])
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(0.1)

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    client, _ = listening.accept()
                    with context.wrap_socket(client, server_side=True) as secure:
                        secure.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join()


def rounded(days: Mapping[str, float]) -> dict[str, int]:
    return {point: round(left) for point, left in days.items()}


def settings(var: Path, **more: object) -> Settings:
    return load_settings(var=var, **more)


def test_what_lasts_is_good_and_an_installation_without_any_is_passed_over(tmp_path: Path) -> None:
    assert check_certificates(settings(tmp_path), tmp_path) == []
    make(tmp_path, NOW)
    (check,) = check_certificates(settings(tmp_path), tmp_path)
    assert (check.verdict, check.name) == (Verdict.GOOD, "certificate")
    assert f"3 looked at; that of {tmp_path}/tls/" in check.said
    assert f"in {SERVER_LASTS.days - 1} days" in check.said


@pytest.mark.parametrize(
    ("left", "verdict"), [(30, Verdict.GOOD), (20, Verdict.WARN), (1, Verdict.WARN), (-1, Verdict.BAD)]
)
def test_three_weeks_before_the_end_it_warns_and_after_it_fails(tmp_path: Path, left: int, verdict: Verdict) -> None:
    place = make(tmp_path, NOW - SERVER_LASTS + timedelta(days=left))
    worst = [one for one in check_certificates(settings(tmp_path), tmp_path) if one.verdict is not Verdict.GOOD]
    assert [one.verdict for one in worst] == [verdict] * 2 * (verdict is not Verdict.GOOD)
    for check, (path, _) in zip(worst, place.servers.values(), strict=False):
        assert str(path) in check.said
        assert "`plantroom certificates`" in check.advice


def test_an_authority_that_ends_is_another_matter(tmp_path: Path) -> None:
    make(tmp_path, NOW, authority=NOW - AUTHORITY_LASTS + timedelta(days=50))
    found = check_certificates(settings(tmp_path), tmp_path)
    assert [one.verdict for one in found] == [Verdict.GOOD, Verdict.WARN]
    assert "to every device" in found[1].advice
    make(tmp_path / "new", NOW)
    with (tmp_path / "tls/ca.pem").open("ab") as both:
        both.write((tmp_path / "new/tls/ca.pem").read_bytes())
    (check,) = check_certificates(settings(tmp_path), tmp_path)
    assert check.verdict is Verdict.GOOD, "the new one stands beside it"


def test_what_a_server_shows_counts(shown: str, tmp_path: Path) -> None:
    """A new file that the server has not read yet helps nobody. Also of a broker that the settings name with TLS."""
    (check,) = check_certificates(settings(tmp_path, tls_addresses=shown), tmp_path)
    assert (check.verdict, f"that of {shown} ends" in check.said) == (Verdict.WARN, True)
    authority = tmp_path / "shown/tls/ca.pem"
    port = int(shown.rpartition(":")[2])
    found = check_certificates(settings(tmp_path, mqtt_ca_file=authority, mqtt_port=port), tmp_path)
    assert [one.verdict for one in found] == [Verdict.GOOD, Verdict.WARN]
    later = check_certificates(settings(tmp_path, tls_addresses=shown), tmp_path, NOW + timedelta(days=40))
    assert [one.verdict for one in later] == [Verdict.BAD]


def test_a_server_that_is_away_and_a_word_that_is_no_address_are_said(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    found = check_certificates(settings(tmp_path, tls_addresses=f"127.0.0.1:{port} plant.example"), tmp_path)
    assert [one.verdict for one in found] == [Verdict.WARN] * 2
    assert "cannot be looked at" in found[0].said


def test_a_folder_that_cannot_be_looked_into_is_said_and_the_monitor_goes_on(shown: str, tmp_path: Path) -> None:
    """Whether a file is there at all can fail in more ways than that it is not: no permission, a stale mount."""
    nowhere, asked = tmp_path / ("x" * 300), settings(tmp_path, tls_addresses=shown)
    found = check_certificates(asked, nowhere)
    assert [one.verdict for one in found] == [Verdict.WARN] * 4
    assert [one.said for one in found if "cannot be looked at" in one.said and str(nowhere) in one.said], found
    assert rounded(CertificateWatch(asked, nowhere, JournalClock(to_us(NOW))).days()) == {"certificate_days": 15}


def test_the_command_makes_new_ones_with_the_names_they_had(plantroom: Commands, tmp_path: Path) -> None:
    place = make(tmp_path, NOW - SERVER_LASTS + timedelta(days=10))
    before = place.authority.read_bytes()
    assert plantroom("certificates").code == 0
    (check,) = check_certificates(settings(tmp_path), tmp_path)
    assert (check.verdict, place.authority.read_bytes()) == (Verdict.GOOD, before)
    for certificate, key in place.servers.values():
        assert {"plant.example", "192.0.2.7", "localhost"} <= set(hosts_of(Pair(certificate, key)))
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        made.verify_directly_issued_by(x509.load_pem_x509_certificate(before))
    assert plantroom("certificates", "--host", "other.example").code == 0
    assert "plant.example" not in hosts_of(Pair(*place.servers["pages"])), "with --host these are the names"


def test_an_influxdb_that_says_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        address, clock = f"http://127.0.0.1:{mute.getsockname()[1]}", RealClock()
        asked = settings(tmp_path, store="influx", influx_url=address, influx_token="t")  # noqa: S106 - nobody's
        check_store(asked, None)  # loads what is to be loaded
        began = clock.now()
        check = check_store(asked, None)
        assert clock.now() - began < timedelta(seconds=3)
    assert check.verdict is Verdict.BAD


def test_the_monitor_hears_of_them_and_of_one_whose_server_is_away_as_it_was(shown: str, tmp_path: Path) -> None:
    wall = JournalClock(to_us(NOW))
    watch = CertificateWatch(settings(tmp_path, tls_addresses=f"{shown} nothing"), tmp_path, wall)
    assert rounded(watch.days()) == {"certificate_days": 15}
    wall.advance(to_us(NOW + timedelta(minutes=30)))
    make(tmp_path, NOW - SERVER_LASTS + timedelta(days=5))
    assert rounded(watch.days()) == {"certificate_days": 15}, "it was looked at half an hour ago"
    wall.advance(to_us(NOW + timedelta(days=31)))
    (tmp_path / "tls/pages.pem").write_text("dust", encoding="utf-8")
    assert rounded(watch.days()) == {"certificate_days": -26, "authority_days": AUTHORITY_LASTS.days - 31}
    (tmp_path / "tls/mosquitto.pem").write_text("dust", encoding="utf-8")
    wall.advance(to_us(NOW + timedelta(days=32)))
    assert rounded(watch.days())["certificate_days"] == -27, "as it was"
