"""Where notices and webhooks may go: to public addresses, and to those of our own network that the operator names.

An address in a roster would otherwise let who writes it reach what only this machine can: the database, a cloud's
metadata, a router. The check is at the connection itself, with the address that is being connected to, so a name that
answers differently the second time gains nothing, and no library that a message goes through has to know of it.
"""

import ipaddress
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec

from facility.errors import RetryableError
from ticketing.webhook import RefusedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Message = ParamSpec("Message")
_CONNECTS = ("socket.connect", "socket.sendto")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A connection to an address of our own network that nobody allowed."""


@dataclass(slots=True)
class _Guard:
    """What the message that is being sent may reach, and what was refused of it."""

    allowed: tuple[Network, ...]
    refused: str = ""


_GUARD: ContextVar[_Guard | None] = ContextVar("guard", default=None)
"""Libraries that send in threads of their own take the context along."""


class Egress:
    """What may be reached. `allowed` are addresses or networks in our own network, such as `10.0.5.0/24`."""

    def __init__(self, allowed: str = "") -> None:
        """`allowed` separates them with commas. Raises ValueError for what is none."""
        self._allowed = parse_networks(allowed)
        _install()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within it messages go only where they may. Raises RefusedError in the place of the failure that
        follows from a refusal."""
        guard = _Guard(self._allowed)
        token = _GUARD.set(guard)
        try:
            yield
        except RetryableError as error:
            if guard.refused:
                raise RefusedError(_refusal(guard.refused)) from error
            raise
        finally:
            _GUARD.reset(token)

    def guard(self, tell: Callable[Message, None]) -> Callable[Message, None]:
        """`tell`, guarded."""

        def guarded(*args: Message.args, **more: Message.kwargs) -> None:
            with self.guarded():
                tell(*args, **more)

        return guarded


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_public(address: Address) -> bool:
    """Whether an address belongs to everybody's network, also what an IPv6 address stands for in IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _refusal(address: str) -> str:
    return f"it leads to {address}, which is in our own network; an operator may allow it in PLANTROOM_OUTBOUND_PRIVATE"


_installed = threading.Lock()
_hooked: list[bool] = []


def _install() -> None:
    with _installed:
        if not _hooked:
            sys.addaudithook(_watch)
            _hooked.append(True)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Python tells of every connection of the process here; those that are no message pass."""
    if event not in _CONNECTS or (guard := _GUARD.get()) is None:
        return
    target = arguments[1]
    host = target[0] if isinstance(target, tuple) else target
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        address = None  # a socket of this very machine
    if address is not None and (is_public(address) or any(address in network for network in guard.allowed)):
        return
    guard.refused = str(host)
    raise PrivateAddressError(_refusal(str(host)))
