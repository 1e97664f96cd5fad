"""What a connection is subscribed to, and what it should be. Both clients ask here what to send; no I/O."""

from collections.abc import Iterable, Sequence

from ingest.link import ALL_TOPICS, DROPPED_TOPIC, QOS

_PACKET_FILTERS = 200
"""In one packet: what a broker answers to it stays small."""
_REFUSED = 0x80


class Subscriptions:
    """The filters that are wanted, the first of which a connection cannot do without.

    What is new is asked for at once. What is wanted no more is given up when everything that was asked for has been
    answered, so that nothing is missed where one filter takes over from another.
    """

    def __init__(self) -> None:
        self.wanted: tuple[str, ...] = (ALL_TOPICS, DROPPED_TOPIC)
        self.granted: frozenset[str] = frozenset()
        """What the broker has granted at QoS 1 on this connection; another object after every change."""
        self.held: frozenset[str] = frozenset()
        """What the session at the broker may hold, of this connection and of those before."""
        self._codes: dict[str, int] = {}
        self._asked: dict[int, tuple[str, ...]] = {}
        self._leaving: dict[int, tuple[str, ...]] = {}

    def want(self, filters: Sequence[str], held: Iterable[str] = ()) -> None:
        """From here on these; `held` are filters that the session may hold from an earlier run."""
        self.wanted = tuple(dict.fromkeys(filters))
        self.held |= {*held}
        for gone in set(self._codes) - set(self.wanted):
            if self._codes[gone] != QOS:
                del self._codes[gone]

    def begin(self) -> None:
        """A new connection: nothing is granted yet."""
        self._codes, self._asked, self._leaving = {}, {}, {}
        self.granted = frozenset()

    def uses(self, mid: int) -> bool:
        """Whether an answer to this packet id is still to come."""
        return mid in self._asked or mid in self._leaving

    @property
    def is_settled(self) -> bool:
        """Whether the broker has answered everything that is wanted."""
        return not self._asked and all(one in self._codes for one in self.wanted)

    @property
    def verdict(self) -> int | None:
        """The broker's answer to the first filter; None while there is none."""
        return self._codes.get(self.wanted[0])

    @property
    def refused(self) -> tuple[str, ...]:
        """What is wanted and was not granted."""
        return tuple(one for one in self.wanted if self._codes.get(one, QOS) != QOS)

    def to_ask(self) -> list[tuple[str, ...]]:
        """What to subscribe to now, packet by packet."""
        waiting = {one for filters in self._asked.values() for one in filters}
        return _packets(one for one in self.wanted if one not in self._codes and one not in waiting)

    def to_leave(self) -> list[tuple[str, ...]]:
        """What to unsubscribe from now, packet by packet."""
        if not self.is_settled or self.refused:
            return []
        leaving = {one for filters in self._leaving.values() for one in filters}
        return _packets(sorted(self.held - set(self.wanted) - leaving))

    def asked(self, mid: int, filters: tuple[str, ...]) -> None:
        """These were asked for under a packet id."""
        self._asked[mid] = filters
        self.held |= {*filters}

    def left(self, mid: int, filters: tuple[str, ...]) -> None:
        """These were given up under a packet id: nothing more is sure to come of them."""
        self._leaving[mid] = filters
        for one in filters:
            self._codes.pop(one, None)
        self.granted -= {*filters}

    def answered(self, mid: int, codes: Sequence[int]) -> None:
        """The broker's answer to what was asked for."""
        filters = self._asked.pop(mid, ())
        for place, one in enumerate(filters):
            self._codes[one] = codes[place] if place < len(codes) else _REFUSED
        self.granted = frozenset(one for one, code in self._codes.items() if code == QOS)

    def confirmed(self, mid: int) -> None:
        """The broker's answer to what was given up."""
        self.held -= {*self._leaving.pop(mid, ())} - set(self.wanted)


def _packets(filters: Iterable[str]) -> list[tuple[str, ...]]:
    every = list(filters)
    return [tuple(every[at : at + _PACKET_FILTERS]) for at in range(0, len(every), _PACKET_FILTERS)]
