"""From what was heard to a report: which device each message belongs to, what it says, and all the marks.

A device of no site file is examined too, by the mapping the inbox would propose.
"""

from collections.abc import Sequence

from facility.catalogue import equipment_classes
from facility.errors import InputError
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.conformance import DeviceLog, HeardScan, Mark, Verdict
from ingest.conformance_device import mark_device
from ingest.conformance_listen import Heard
from ingest.conformance_point import mark_point
from ingest.discovery import Stranger
from ingest.discovery_file import Approval, addition_text, propose
from ingest.discovery_shape import MAX_VALUES, shape_of
from ingest.payload import Arrival, PayloadError
from ingest.routing import HEARTBEAT_TOPIC, Route, Router

_WILLS = ("LWT", "availability", "online", "$state", "state")
_GUESSED = "conformance"
_BLANK = f"site: {{id: {_GUESSED}, zone: UTC}}\nbuildings: [{{id: {_GUESSED}}}]\n"


def examine(
    heard: Sequence[Heard], topics: Sequence[str], registry: Registry | None, *, span_us: int, factor: float = 1.0
) -> list[Mark]:
    """Every mark, device by device. `span_us` is how long was listened, in the device's time.

    A topic (filter) of `topics` on which nothing came gets a FAIL of its own.
    """
    known = registry if registry is not None else parse_site(_BLANK, "conformance")
    whole, guessed, unclear = _with_strangers(heard, known)
    logs = _sort(heard, whole, guessed)
    marks = [_silent(topic) for topic in topics if not any(matches(topic, one.topic) for one in heard)]
    for key, reason in unclear.items():
        advice = "Describe it in the site file (docs/devices.md), then listen again."
        marks.append(Mark(key, "", "mapping", Verdict.FAIL, f"it is in no site file, and {reason}", advice))
    for log in logs.values():
        if log.is_guessed:
            points = ", ".join(log.asset.points) or "none"
            said = f"in no site file; examined as {log.asset.equipment_class.name} with {points}"
            advice = "See the device inbox (plantroom devices), correct the mapping and add it."
            marks.append(Mark(log.asset.id, "", "mapping", Verdict.WARN, said, advice))
        marks += mark_device(log, factor)
        for point in log.asset.points.values():
            marks += mark_point(log, point, span_us)
    return marks


def matches(topic_filter: str, topic: str) -> bool:
    """Whether an MQTT filter (with + and #) takes this topic."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    for index, part in enumerate(wanted):
        if part == "#":
            return True
        if index >= len(given) or part not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


def _silent(topic: str) -> Mark:
    advice = "Check topic, address of the broker, user and rights of the device; then listen longer."
    return Mark(topic, "", "heard", Verdict.FAIL, "nothing came on this topic", advice)


def _with_strangers(heard: Sequence[Heard], known: Registry) -> tuple[Registry, set[str], dict[str, str]]:
    """The registry with the devices nobody described, their ids, and those nothing can be made of (with the reason)."""
    router, strangers = Router(known), dict[str, Stranger]()
    for one in heard:
        if router.find(one.topic) is not None or router.is_ignored(one.topic) or one.topic == HEARTBEAT_TOPIC:
            continue
        shape = shape_of(one.topic, one.payload)
        if not shape.dialect:
            continue
        stranger = strangers.setdefault(
            shape.key, Stranger(shape.key, shape.dialect, shape.words, one.arrived_us, topics=[one.topic])
        )
        stranger.time = shape.time or stranger.time
        for value in shape.values:
            if len(stranger.values) < MAX_VALUES:
                stranger.values[value.name] = value
    whole, guessed, unclear = known, set[str](), dict[str, str]()
    for key, stranger in strangers.items():
        proposal = propose(stranger, whole)
        if not proposal.guess.points:
            unclear[key] = "none of its values looks like a point"
            continue
        kind = proposal.guess.equipment_class if proposal.guess.equipment_class in equipment_classes() else "sensor"
        try:
            text = addition_text(stranger, Approval(proposal.asset_id, kind), whole)
            whole = Registry.merge([whole, parse_site(text, key)])
        except InputError as error:
            unclear[key] = str(error.problems[0].what)
            continue
        guessed.add(proposal.asset_id)
    return whole, guessed, unclear


def _sort(heard: Sequence[Heard], registry: Registry, guessed: set[str]) -> dict[str, DeviceLog]:
    router, logs = Router(registry), dict[str, DeviceLog]()
    for one in heard:
        route = router.find(one.topic)
        if route is None:
            continue
        found, problem = _read(route, one)
        ids = dict.fromkeys([scan.scan.asset_id for scan in found] or [route.asset_id])
        for asset_id in ids:
            log = logs.setdefault(
                asset_id, DeviceLog(registry.assets[asset_id], asset_id in guessed, route.is_timed)
            )  # fmt: skip
            log.messages.append(one)
            log.scans += [scan for scan in found if scan.scan.asset_id == asset_id]
            if problem:
                log.problems.append(problem)
            if one.topic.rpartition("/")[2] in _WILLS or "/NDEATH/" in one.topic or "/DDEATH/" in one.topic:
                log.wills.append(one.topic)
    return logs


def _read(route: Route, one: Heard) -> tuple[list[HeardScan], str]:
    try:
        scans, problem = route.decoder.decode(one.topic, one.payload, Arrival(one.arrived_us, one.retained)), ""
    except PayloadError as error:
        scans, problem = error.scans, str(error)
    return [HeardScan(one, scan) for scan in scans], problem
