"""The guest at a real broker: retained copies, QoS as published, refusals; and the command from end to end."""

import json
import threading
from collections.abc import Iterator

import pytest
import typer
from running import ROOT, free_ports
from typer.testing import CliRunner

from facility.clock import RealClock
from ingest.broker import EmbeddedBroker
from ingest.conformance_listen import Guest, probe
from ingest.link import BrokerAddress, LinkError
from plantroom.commands import conformance
from simulators.dialect import own_message
from simulators.wire import Wire


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    own = EmbeddedBroker(tmp_path_factory.mktemp("broker"), port=0)
    own.start()
    yield own
    own.stop()


def test_a_guest_hears_how_each_message_was_published(broker: EmbeddedBroker) -> None:
    address, stop = BrokerAddress(broker.host, broker.port), threading.Event()
    with Wire(broker.host, broker.port, "device") as wire:
        wire.publish("guest/kept", b"1", retain=True)
        assert wire.drain(5)
        with Guest(address, ["guest/#"], RealClock()) as guest:
            wire.publish("guest/fresh", b"2", qos=0)
            wire.publish("guest/fresh", b"3", qos=1)
            heard = guest.hear(10, stop)
            found = {(one.topic, one.payload, one.qos, one.retained) for one in (next(heard) for _ in range(3))}
    assert found == {("guest/kept", b"1", 1, True), ("guest/fresh", b"2", 0, False), ("guest/fresh", b"3", 1, False)}


def test_a_probe_comes_back_and_nobody_answers_where_nobody_is(broker: EmbeddedBroker) -> None:
    assert probe(BrokerAddress(broker.host, broker.port), RealClock(), threading.Event()) is not None
    with pytest.raises(LinkError, match="cannot connect"):
        probe(BrokerAddress(broker.host, free_ports(1)[0]), RealClock(), threading.Event())


def test_the_command_reports_and_fails_when_the_device_does(broker: EmbeddedBroker) -> None:
    app = typer.Typer()
    conformance.register(app)
    bad = own_message("demo", "TANK-1", "2020-01-01T00:00:00Z", {"tank_level": 130.0})
    with Wire(broker.host, broker.port, "tank") as wire:
        wire.publish(bad.topic, bad.payload, retain=True)
        assert wire.drain(5)
    call = [bad.topic, "nobody/#", "--seconds", "0.5", "--mqtt-port", str(broker.port)]
    call += ["--site", str(ROOT / "plantroom/demo/site.yaml")]
    answer = CliRunner().invoke(app, [*call, "--json"])
    assert answer.exit_code == 1, answer.output
    failed = {(mark["device"], mark["aspect"]) for mark in json.loads(answer.output) if mark["verdict"] == "fail"}
    assert failed == {("nobody/#", "heard"), ("TANK-1", "retained")}
    table = CliRunner().invoke(app, call)
    assert "fail: " in table.output
