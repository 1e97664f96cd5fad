"""Where strangers become assets: the inbox with its proposals, and what a person's approval sets going."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facility.clock import Clock
from facility.errors import PermanentError, refuse
from facility.reading import ControlEvent, SiteEdited
from facility.registry import Registry
from ingest.discovery import Stranger
from ingest.discovery_file import Approval, Proposal, addition_text, propose
from ingest.quality_skew import DeviceClock, DeviceClocks
from ingest.unknown_codes import UnknownCode, UnknownCodes


@dataclass(frozen=True, slots=True)
class PlantInForce:
    """What the engine judges by now: its directory and the site files it came from (name -> text)."""

    registry: Callable[[], Registry]
    site_files: Callable[[], Mapping[str, str]]


class Inbox(Protocol):
    """The devices nobody described, as `ingest.discovery.DeviceInbox` has them."""

    def strangers(self) -> list[Stranger]:
        """Every device, the one heard last first."""

    def find(self, key: str) -> Stranger | None:
        """One device by its key or by one of its topics."""

    def forget(self, key: str) -> bool:
        """Take it out; False when it was not there."""


class Clocks(Protocol):
    """How far the clocks of devices are off."""

    def all(self) -> list[DeviceClock]:
        """The worst first."""


class Codes(Protocol):
    """Codes that no map explains."""

    def all(self) -> list[UnknownCode]:
        """The one said last first."""


@dataclass(frozen=True, slots=True)
class LearnedOfDevices:
    """What was learned of known devices: how far their clocks are off, and codes that no map explains."""

    clocks: Clocks
    codes: Codes


@dataclass(frozen=True, slots=True)
class Learned(LearnedOfDevices):
    """What the followers of one journal learn."""

    clocks: DeviceClocks
    codes: UnknownCodes


class DeviceDesk:
    """Shows the inbox and approves. `folder` holds the approved site files, `hand_over` takes the event to the journal.

    Safe from any thread.
    """

    def __init__(
        self,
        inbox: Inbox,
        learned: LearnedOfDevices,
        plant: PlantInForce,
        folder: Path,
        hand_over: Callable[[ControlEvent], object],
        clock: Clock,
        write: Callable[[Path, bytes], None],
    ) -> None:
        self._inbox, self._learned, self._plant, self._clock = inbox, learned, plant, clock
        self._folder, self._hand_over, self._write = folder, hand_over, write

    def registry(self) -> Registry:
        """The directory in force."""
        return self._plant.registry()

    def proposals(self) -> list[tuple[Stranger, Proposal]]:
        """Every device of the inbox with its proposal, the one heard last first."""
        registry = self.registry()
        return [(stranger, propose(stranger, registry)) for stranger in self._inbox.strangers()]

    def clocks(self) -> list[DeviceClock]:
        """How far each device's clock is off, the worst first."""
        return self._learned.clocks.all()

    def unknown_codes(self) -> list[UnknownCode]:
        """Codes that no code map explains, the one said last first."""
        return self._learned.codes.all()

    def approve(self, key: str, approval: Approval) -> Path:
        """Write a site file for the device and hand it to the journal; the file's path.

        Raises InputError with what is wrong, PermanentError for a device that is not in the inbox.
        """
        stranger = self._inbox.find(key)
        if stranger is None:
            msg = f"there is no device {key!r} in the inbox; it comes back with its next message"
            raise PermanentError(msg)
        path = self._folder / f"{approval.asset_id}.yaml"
        if path.exists():
            raise refuse(f"device {key}", f"{path} is there already", "Choose another id, or edit that file.")
        text = addition_text(stranger, approval, self.registry())
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(path, text.encode())
        approved = {str(file): file.read_text(encoding="utf-8") for file in sorted(self._folder.glob("*.yaml"))}
        files = {**self._plant.site_files(), **approved}
        self._hand_over(SiteEdited(uuid.uuid4().hex, self._clock.now_us(), files))
        self._inbox.forget(stranger.key)
        return path

    def forget(self, key: str) -> bool:
        """Take a device out; it comes back with its next message. False when it was not there."""
        return self._inbox.forget(key)
