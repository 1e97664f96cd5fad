"""Marks of a device as a whole: payload, QoS, retained copies, clock, order, repetition, last will, reconnection."""

from itertools import pairwise
from statistics import median

from facility.instant import SECOND_US, format_duration, from_us
from ingest.conformance import DeviceLog, HeardScan, Mark, Verdict

SKEW_WARN_US = 5 * SECOND_US
SKEW_FAIL_US = 60 * SECOND_US
GAP_LEAST_US = 30 * SECOND_US
GAP_CADENCES = 3
MOST_REPEATED = 0.05
MANY = 0.3
_RETAINING = ("homie",)
"""Dialects in which the broker keeps every value, by their own rules."""


def mark_device(log: DeviceLog, factor: float) -> list[Mark]:
    """All marks but those of points. `factor`: how fast the clock runs that the device lives by."""
    return [
        _payload(log), _qos(log), _retained(log), _clock(log, factor), _order(log), _repeated(log), _will(log),
        _reconnection(log),
    ]  # fmt: skip


def _mark(log: DeviceLog, aspect: str, verdict: Verdict, said: str, advice: str = "") -> Mark:
    return Mark(log.asset.id, "", aspect, verdict, said, advice)


def _payload(log: DeviceLog) -> Mark:
    if not log.problems:
        return _mark(log, "payload", Verdict.PASS, f"all {len(log.messages)} messages can be read")
    said = f"{len(log.problems)} of {len(log.messages)} messages cannot be read, or not wholly: {log.problems[0]}"
    return _mark(log, "payload", Verdict.FAIL, said, "Correct the payload, or map the device's names in the site file.")


def _live(log: DeviceLog) -> list[HeardScan]:
    return [one for one in log.scans if not one.heard.retained]


def _qos(log: DeviceLog) -> Mark:
    levels = {message.qos for message in log.messages if not message.retained}
    if not levels:
        return _mark(log, "qos", Verdict.UNSEEN, "no fresh message was heard")
    if 0 in levels:
        advice = "Publish at QoS 1: at 0 a message is lost whenever a connection breaks."
        return _mark(log, "qos", Verdict.WARN, "messages come at QoS 0", advice)
    return _mark(log, "qos", Verdict.PASS, f"QoS {max(levels)}")


def _retained(log: DeviceLog) -> Mark:
    kept = [one for one in log.scans if one.heard.retained]
    if not kept:
        return _mark(log, "retained", Verdict.PASS, "no reading is kept by the broker")
    dialect = log.asset.source.dialect if log.asset.source is not None else "plantroom"
    said = f"the broker keeps readings of {log.asset.id} (first: {kept[0].heard.topic})"
    if dialect in _RETAINING:
        return _mark(log, "retained", Verdict.PASS, f"{said}, as {dialect} has it")
    advice = "Publish readings without the retain flag: a kept one looks new to everyone who connects."
    return _mark(log, "retained", Verdict.FAIL, said, advice)


def _clock(log: DeviceLog, factor: float) -> Mark:
    live = _live(log)
    if not log.is_timed:
        return _mark(log, "clock", Verdict.PASS, "the device sends no instants; the arrival counts")
    if not live:
        return _mark(log, "clock", Verdict.UNSEEN, "no fresh reading was heard")
    skew_us = round(median(one.scan.at_us - one.heard.arrived_us for one in live))
    span = format_duration(from_us(abs(skew_us)) - from_us(0))
    said = f"{span} {'ahead' if skew_us > 0 else 'behind'}" if span != "0 s" else "less than a second off"
    if abs(skew_us) > SKEW_FAIL_US * factor:
        advice = "Set the device's clock (NTP) and its time zone: such readings are not believed, or come too late."
        return _mark(log, "clock", Verdict.FAIL, said, advice)
    if abs(skew_us) > SKEW_WARN_US * factor:
        return _mark(log, "clock", Verdict.WARN, said, "Let NTP keep the device's clock.")
    return _mark(log, "clock", Verdict.PASS, said)


def _order(log: DeviceLog) -> Mark:
    pairs = list(pairwise(_live(log)))
    back = sum(one.scan.at_us > two.scan.at_us for one, two in pairs)
    if len(pairs) < 2:
        return _mark(log, "order", Verdict.UNSEEN, "too few readings to tell")
    if not back:
        return _mark(log, "order", Verdict.PASS, "readings come in the order of their instants")
    said = f"{back} of {len(pairs) + 1} readings are older than the one before"
    advice = "Send readings in order: a late one is kept, and not judged."
    return _mark(log, "order", Verdict.FAIL if back > MANY * len(pairs) else Verdict.WARN, said, advice)


def _repeated(log: DeviceLog) -> Mark:
    live = _live(log)
    again = len(live) - len({one.scan for one in live})
    if len(live) < 3:
        return _mark(log, "repeated", Verdict.UNSEEN, "too few readings to tell")
    if again <= MOST_REPEATED * len(live):
        return _mark(log, "repeated", Verdict.PASS, f"{again} readings came twice")
    advice = "Send each reading once, with the instant it was measured; look for two publishers of one device."
    said = f"{again} of {len(live)} readings came twice"
    return _mark(log, "repeated", Verdict.FAIL if again > MANY * len(live) else Verdict.WARN, said, advice)


def _will(log: DeviceLog) -> Mark:
    if log.wills:
        return _mark(log, "last will", Verdict.PASS, f"says on {log.wills[0]} whether it is there")
    return _mark(log, "last will", Verdict.UNSEEN, "no state or last will was heard; cut its power to see one")


def _reconnection(log: DeviceLog) -> Mark:
    live = _live(log)
    cadence_us = max((round(point.cadence.total_seconds() * 1e6) for point in log.asset.points.values()), default=0)
    limit_us = max(GAP_LEAST_US, GAP_CADENCES * cadence_us)
    for before, after in pairwise(live):
        if after.heard.arrived_us - before.heard.arrived_us > limit_us:
            since_us, until_us = before.heard.arrived_us, after.heard.arrived_us
            late = [one for one in live if since_us < one.scan.at_us < until_us - cadence_us]
            span = format_duration(from_us(until_us) - from_us(since_us))
            if late:
                said = f"after {span} of silence it sent {len(late)} readings of that time"
                return _mark(log, "reconnect", Verdict.PASS, said)
            advice = "Let the device keep readings while it has no connection, if it can; else nothing is to be done."
            return _mark(log, "reconnect", Verdict.WARN, f"readings of {span} of silence never came", advice)
    return _mark(log, "reconnect", Verdict.UNSEEN, "it was never away; cut its network for some minutes to see")
