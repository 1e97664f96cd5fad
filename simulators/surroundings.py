"""What acts on the building from outside: the hour, the weather, the sun and the people. A pure function of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import asin, cos, degrees, pi, radians, sin
from random import Random
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from facility.instant import from_us

# Share of the people who are in, by local hour of a working day: arrivals, lunch, the way home.
_PRESENCE: Sequence[tuple[float, float]] = (
    (6.9, 0.0), (7.5, 0.12), (8.5, 0.7), (9.0, 0.95), (11.75, 0.95), (12.25, 0.55), (12.75, 0.55),
    (13.25, 0.92), (17.5, 0.9), (18.0, 0.45), (18.6, 0.1), (18.95, 0.0),
)  # fmt: skip


class Weather(BaseModel):
    """The season at the site: a daily wave, a slow wander of the air mass, sun by latitude and date, clouds."""

    model_config = ConfigDict(extra="forbid")
    asset: str | None = Field(default=None, description="the asset that publishes the outside air temperature")
    mean: float = Field(default=13.0, ge=-40, le=50, description="mean of the outside air over the year, degC")
    season: float = Field(
        default=0.0, ge=0, le=30, description="half the difference of the warmest and the coldest month, K; 0: none"
    )
    swing: float = Field(default=4.0, ge=0, le=20, description="half the difference of day and night, K")
    wander: float = Field(default=0.8, ge=0, le=5, description="standard deviation of the air mass around it, K")
    latitude: float = Field(default=31.2, ge=-66, le=66, description="degrees north")
    cloud: float = Field(default=0.4, ge=0, le=1, description="share of the sun that clouds take, on average")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world at the end of a step. `hour` is the local hour 0..24; daylight outside, horizontal, in lx."""

    at_us: int
    on: date
    hour: float
    working: bool
    outside_c: float
    daylight_lx: float
    presence: float


class World:
    """Tells the surroundings at any instant; the same seed gives the same world."""

    def __init__(self, weather: Weather, zone: ZoneInfo, seed: int, closed: frozenset[date] = frozenset()) -> None:
        self._weather, self._zone, self._seed, self._closed = weather, zone, seed, closed
        self._wander = lru_cache(maxsize=64)(self._node)

    def at(self, at_us: int) -> Surroundings:
        """The surroundings at an instant."""
        local = from_us(at_us).astimezone(self._zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        working = self.is_working(local.date())
        weather = self._weather
        wave = cos(2 * pi * (hour - 15) / 24)
        # The warmest day stands three to four weeks after the sun's highest: 20 July, or 19 January in the south.
        warmest = 201 if weather.latitude >= 0 else 19
        year = cos(2 * pi * (local.timetuple().tm_yday + hour / 24 - warmest) / 365.25)
        outside = (
            weather.mean
            + weather.season * year
            + weather.swing * wave
            + weather.wander * self._noise("air", at_us, hours=6)
        )
        clouds = min(0.95, max(0.0, weather.cloud + 0.25 * self._noise("cloud", at_us, hours=2)))
        sun = _sine_of_sun(weather.latitude, local.timetuple().tm_yday, hour)
        daylight = 110_000 * sun * (1 - clouds)
        presence = presence_at(hour) if working else 0.0
        return Surroundings(at_us, local.date(), hour, working, outside, daylight, presence)

    def is_working(self, on: date) -> bool:
        """Whether people come in on this date."""
        return on.weekday() < 5 and on not in self._closed

    def _noise(self, name: str, at_us: int, hours: int) -> float:
        """Smooth noise of unit variance at its nodes, which stand `hours` apart."""
        index, rest = divmod(at_us, hours * 3_600_000_000)
        share = (1 - cos(pi * rest / (hours * 3_600_000_000))) / 2
        return self._wander(name, index) * (1 - share) + self._wander(name, index + 1) * share

    def _node(self, name: str, index: int) -> float:
        return max(-2.0, min(2.0, Random(f"{self._seed}/{name}/{index}").gauss(0, 1)))


def presence_at(hour: float) -> float:
    """The share of the people who are in at this local hour of a working day, 0..1."""
    before = _PRESENCE[0]
    for point in _PRESENCE:
        if hour < point[0]:
            if point is before:
                return point[1]
            share = (hour - before[0]) / (point[0] - before[0])
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def _sine_of_sun(latitude: float, day: int, hour: float) -> float:
    """Sine of the sun's height, 0 below the horizon; solar noon at 12 (Cooper's declination)."""
    declination = radians(23.45 * sin(2 * pi * (284 + day) / 365))
    height = asin(
        sin(radians(latitude)) * sin(declination)
        + cos(radians(latitude)) * cos(declination) * cos(radians(15 * (hour - 12)))
    )
    return sin(height) if degrees(height) > 0 else 0.0


def parse_elapsed(text: str) -> timedelta:
    """Time after the start as `HH:MM:SS` (hours may pass 24). Raises ValueError with the reason."""
    parts = text.split(":")
    if len(parts) == 3 and all(part.isdigit() and len(part) >= 2 for part in parts):
        hours, minutes, seconds = (int(part) for part in parts)
        if minutes < 60 and seconds < 60 and hours <= 24 * 366:
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    msg = f"{text!r} is not a time after the start; write it like '00:20:00' or '30:00:00' (hours may pass 24)"
    raise ValueError(msg)
