"""Who comes to the broker, and what each may write and read there, from the registry. Pure.

One user is one connection: an asset, or the assets behind one topic, one Sparkplug node or one zigbee2mqtt bridge,
which speak through one client. A gateway may write for the assets it contains, controls or feeds. Nobody may write what
belongs to another, also where its own topics are a filter.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from facility.asset import Asset
from facility.errors import InputError, Problem
from facility.registry import Registry
from ingest.dialects import DIALECTS
from ingest.dialects.plantroom_json import own_topic

RESERVED = ("plantroom", "simulator", "plantroom-ingest")
"""Users that are no device, and the client id of ingest: of a device the broker takes the user for its client id."""
_GATEWAY = "gateway"
Topics = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One user with the assets it speaks for. `denied` lies within what it writes and belongs to others."""

    name: str
    asset_ids: tuple[str, ...]
    writes: Topics
    reads: Topics
    denied: Topics = ()


def _prefixed(*parts: str) -> Callable[[str], Topics]:
    return lambda topic: tuple(f"{topic.rstrip('/')}/{part}" for part in parts)


def _itself(topic: str) -> Topics:
    return (topic,)


def _nothing(_topic: str) -> Topics:
    return ()


def _tasmota(*verbs: str) -> Callable[[str], Topics]:
    def topics(topic: str) -> Topics:
        levels = topic.rstrip("/").split("/")
        place = levels.index("tele")
        return tuple("/".join([*levels[:place], verb, *levels[place + 1 :], "#"]) for verb in verbs)

    return topics


def _node(verbs: str) -> Callable[[str], Topics]:
    def topics(topic: str) -> Topics:
        _, group, node = topic.split("/")[:3]
        return tuple(f"spBv1.0/{group}/{verb}/{node}{'/+' if verb[0] == 'D' else ''}" for verb in verbs.split())

    return topics


def _base(topic: str) -> Topics:
    return (f"{DIALECTS['zigbee2mqtt'].channel(topic)}/#",)


_WRITES: Mapping[str, Callable[[str], Topics]] = {
    "plantroom": _itself,
    "senml": _itself,
    "json": _itself,
    "udmi": _prefixed("events/#", "state"),
    "sparkplug": _node("NBIRTH NDATA NDEATH DBIRTH DDATA DDEATH"),
    "homie": _prefixed("#"),
    "tasmota": _tasmota("tele", "stat"),
    "shelly": _prefixed("#"),
    "zigbee2mqtt": _base,
}
_READS: Mapping[str, Callable[[str], Topics]] = {
    "udmi": _prefixed("config", "commands/#"),
    "sparkplug": lambda topic: (*_node("NCMD DCMD")(topic), "spBv1.0/STATE/+"),
    "homie": _prefixed("+/+/set"),
    "tasmota": _tasmota("cmnd"),
    "shelly": _prefixed("rpc", "command/#"),
    "zigbee2mqtt": _base,
}
"""What a device listens to: its commands. Plantroom sends none but Sparkplug's wish for a birth."""
_SHARED = ("sparkplug", "zigbee2mqtt")
"""Dialects of which one client speaks for a whole channel."""


def reserved_names(shards: Iterable[str]) -> frozenset[str]:
    """Those that no device may have, with the users and sessions of further shards."""
    names = [f"{name}-{shard}" for shard in shards for name in (RESERVED[0], RESERVED[2])]
    return frozenset((*RESERVED, *names))


def broker_users(
    registry: Registry, known: Collection[str] = (), shards: Collection[str] = ()
) -> tuple[BrokerUser, ...]:
    """Every user of the devices, in file order. Raises InputError for what cannot stand in an access list.

    `known` are the users that have a password: one of them stays the name of its connection, whatever joins it.
    `shards` are the further ones, each of which is a user too.
    """
    problems: list[Problem] = []
    reserved = reserved_names(shards)
    users: dict[str, BrokerUser] = {}
    for assets in _connections(registry):
        lead = min(assets, key=lambda asset: (asset.id not in known, _topic_length(asset)))
        if lead.id in reserved:
            what = f"the asset {lead.id!r} has the name of a user of the program itself"
            problems.append(Problem("site files", what, "Give it another id."))
        writes = _unique(topic for asset in assets for topic in _topics(registry, asset, _WRITES))
        reads = _unique(topic for asset in assets for topic in _topics(registry, asset, _READS, own=False))
        problems += [_refusal(lead, topic) for topic in (*writes, *reads) if not _is_plain(topic)]
        users[lead.id] = BrokerUser(lead.id, tuple(asset.id for asset in assets), writes, reads)
    if problems:
        raise InputError(problems)
    return _without_others(_with_gateways(registry, users))


def covers(wide: str, narrow: str) -> bool:
    """Whether the filter `wide` takes in all that `narrow` (a topic or a filter) does."""
    ours, theirs = wide.split("/"), narrow.split("/")
    for place, level in enumerate(ours):
        if level == "#":
            return True
        if place >= len(theirs) or theirs[place] == "#" or (level not in ("+", theirs[place])):
            return False
    return len(ours) == len(theirs)


def access_list(users: Iterable[BrokerUser]) -> str:
    """The users as lines of Mosquitto's access list."""
    lines = []
    for user in users:
        lines += ["", f"user {user.name}"]
        lines += [f"topic deny {topic}" for topic in user.denied]
        both = set(user.writes) & set(user.reads)
        lines += [f"topic {'readwrite' if topic in both else 'write'} {topic}" for topic in user.writes]
        lines += [f"topic read {topic}" for topic in user.reads if topic not in both]
    return "\n".join([*lines, ""])


def _topic_length(asset: Asset) -> int:
    return len(asset.source.topic) if asset.source is not None else 0


def _connections(registry: Registry) -> list[list[Asset]]:
    found: dict[tuple[str, str], list[Asset]] = {}
    for asset in registry.assets.values():
        source = asset.source
        key = ("asset", asset.id)
        if source is not None:
            is_shared = source.dialect in _SHARED
            key = (source.dialect, DIALECTS[source.dialect].channel(source.topic) if is_shared else source.topic)
        found.setdefault(key, []).append(asset)
    return list(found.values())


def _topics(
    registry: Registry, asset: Asset, of: Mapping[str, Callable[[str], Topics]], *, own: bool = True
) -> Iterable[str]:
    if own:
        yield own_topic(registry.site_of(asset.id).id, asset.id)
    if asset.source is not None:
        yield from of.get(asset.source.dialect, _nothing)(asset.source.topic)


def _with_gateways(registry: Registry, users: Mapping[str, BrokerUser]) -> list[BrokerUser]:
    by_asset = {asset_id: user for user in users.values() for asset_id in user.asset_ids}
    grown = []
    for user in users.values():
        gateways = [registry.assets[name] for name in user.asset_ids]
        gateways = [asset for asset in gateways if asset.equipment_class.name == _GATEWAY]
        served = [
            other for asset in gateways for other in (*registry.children(asset.id), *asset.controls, *asset.feeds)
        ]
        behind = [by_asset[other] for other in dict.fromkeys(served) if by_asset[other] is not user]
        grown.append(
            BrokerUser(
                user.name,
                _unique([*user.asset_ids, *(name for one in behind for name in one.asset_ids)]),
                _unique([*user.writes, *(topic for one in behind for topic in one.writes)]),
                _unique([*user.reads, *(topic for one in behind for topic in one.reads)]),
            )
        )
    return grown


def _without_others(users: list[BrokerUser]) -> tuple[BrokerUser, ...]:
    """Deny what a user's filters would take in of others' own topics."""
    exact = {topic: user for user in users for topic in user.writes}
    finished = []
    for user in users:
        mine = set(user.writes)
        filters = [topic for topic in user.writes if "+" in topic or "#" in topic]
        denied = [
            topic
            for topic in exact
            if topic not in mine and any(covers(one, topic) for one in filters)
        ]  # fmt: skip
        finished.append(BrokerUser(user.name, user.asset_ids, user.writes, user.reads, tuple(denied)))
    return tuple(finished)


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _is_plain(topic: str) -> bool:
    return topic.isprintable() and topic == topic.strip()


def _refusal(asset: Asset, topic: str) -> Problem:
    what = f"the topic {topic!r} of asset {asset.id!r} has a control character, or a space at an end"
    return Problem("site files", what, "No line of an access list can say it; have the device write elsewhere.")
