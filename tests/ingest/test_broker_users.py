"""Who may write what at the broker: each device its own topics, all of them, and nobody another's."""

from itertools import pairwise
from pathlib import Path

import pytest

from facility.errors import InputError
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.broker_users import BrokerUser, access_list, broker_users, covers
from ingest.dialects import DIALECTS
from ingest.dialects.plantroom_json import own_topic
from ingest.link import BrokerAddress

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Registry:
    return parse_site((GOLDEN / name).read_text(encoding="utf-8"), name)


def users_of(text: str) -> dict[str, BrokerUser]:
    head = "site: {id: s, zone: UTC}\nbuildings:\n  - id: b\n    assets:\n"
    return {user.name: user for user in broker_users(parse_site(head + text, "site.yaml"))}


@pytest.mark.parametrize("name", ["devices.yaml", "site.yaml"])
def test_each_device_may_write_what_we_read_of_it(name: str) -> None:
    registry = golden(name)
    by_asset = {asset_id: user for user in broker_users(registry) for asset_id in user.asset_ids}
    assert set(by_asset) == set(registry.assets)
    for asset in registry.assets.values():
        wanted = [own_topic(registry.site_of(asset.id).id, asset.id)]
        if asset.source is not None:
            source = asset.source
            foreign = ("homie/5/+/$state",)  # of whatever device is its root
            wanted += [topic for topic in DIALECTS[source.dialect].filters(source.topic) if topic not in foreign]
        for topic in wanted:
            assert any(covers(own, topic) for own in by_asset[asset.id].writes), (asset.id, topic)


def test_the_golden_sites_have_every_dialect() -> None:
    sources = [asset.source for name in ("devices.yaml", "site.yaml") for asset in golden(name).assets.values()]
    assert {source.dialect for source in sources if source is not None} == set(DIALECTS)


@pytest.mark.parametrize("name", ["devices.yaml", "site.yaml"])
def test_nobody_may_write_what_belongs_to_another(name: str) -> None:
    found = broker_users(golden(name))
    for user in found:
        for other in found:
            for topic in set(other.writes) - set(user.writes):
                allowed = any(covers(own, topic) for own in user.writes)
                assert not allowed or topic in user.denied, (user.name, topic)


def test_one_client_that_speaks_for_many_is_one_user() -> None:
    users = {user.name: user for user in broker_users(golden("devices.yaml"))}
    node = users["edge-1"]
    assert {"chiller-1", "lift-1"} <= set(node.asset_ids)
    assert "spBv1.0/Plant/DDATA/edge-1/+" in node.writes
    assert "spBv1.0/Plant/NCMD/edge-1" in node.reads
    assert "chiller-1" not in users
    assert users["zone-1"].asset_ids == ("zone-1", "tank-1"), "two assets behind one topic"


def test_a_gateway_may_write_for_what_it_serves_and_not_the_other_way_round() -> None:
    users = users_of(
        "      - {id: gw, class: gateway, points: [online], controls: [t1]}\n"
        "      - {id: t1, class: tank, points: [tank_level]}\n"
        "      - {id: t2, class: tank, points: [tank_level], parent: gw}\n"
        "      - {id: t3, class: tank, points: [tank_level]}\n"
        "      - {id: p1, class: pump, points: [run_status], feeds: [t3]}\n"
    )
    assert set(users["gw"].writes) == {f"plantroom/s/{name}/readings" for name in ("gw", "t1", "t2")}
    assert users["t1"].writes == ("plantroom/s/t1/readings",)
    assert users["p1"].writes == ("plantroom/s/p1/readings",), "a pump is no gateway of the tank it feeds"


def test_a_filter_that_takes_in_anothers_topic_is_denied_there() -> None:
    users = users_of(
        "      - {id: all, class: tank, points: [tank_level], source: {dialect: json, topic: 'w/+/level',"
        " points: {a: {point: tank_level}}}}\n"
        "      - {id: one, class: tank, points: [tank_level], source: {dialect: json, topic: w/7/level,"
        " points: {a: {point: tank_level}}}}\n"
    )
    assert users["all"].denied == ("w/7/level",)
    assert users["one"].denied == ()
    lines = access_list(users.values()).splitlines()
    assert lines.index("topic deny w/7/level") == lines.index("user all") + 1


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        ("a/b", "a/b", True), ("a/+", "a/b", True), ("a/+", "a/+", True), ("a/b", "a/+", False), ("a/#", "a/b/c", True),
        ("a/#", "a", True), ("a/+", "a/b/c", False), ("a/+/c", "a/#", False), ("#", "a/#", True),
        ("a/b/c", "a/b", False),
    ],
)  # fmt: skip
def test_what_a_filter_covers(wide: str, narrow: str, *, does: bool) -> None:
    assert covers(wide, narrow) is does


@pytest.mark.parametrize("topic", [r"w/1\nuser plantroom\ntopic readwrite w/2", "w/1 ", r"w/\u0007"])
def test_a_topic_that_would_add_lines_to_the_access_list_is_refused(topic: str) -> None:
    asset = f'      - {{id: t, class: tank, points: [tank_level], source: {{dialect: json, topic: "{topic}"}}}}\n'
    with pytest.raises(InputError, match="access list"):
        users_of(asset)


@pytest.mark.parametrize("name", ["plantroom", "simulator", BrokerAddress().client_id])
def test_no_device_has_the_name_of_the_program(name: str) -> None:
    with pytest.raises(InputError, match="name of a user of the program"):
        users_of(f"      - {{id: {name}, class: tank, points: [tank_level]}}\n")


def test_the_access_list_says_each_topic_once() -> None:
    for user in broker_users(golden("devices.yaml")):
        lines = access_list([user]).splitlines()
        assert lines[1] == f"user {user.name}"
        topics = [line.split(" ", 2)[2] for line in lines[2:]]
        assert len(set(topics)) == len(topics)
        assert all(first != second for first, second in pairwise(lines))
