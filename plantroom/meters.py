"""Meters of assets as telemetry counts them: the newest good reading of the point of the meter's name."""

from facility.instant import from_us
from facility.reading import Quality
from plantroom.several import Newest
from ticketing.meter_rows import Shown


class CounterPoints:
    """Reads counters from the newest values of the program."""

    def __init__(self, latest: Newest) -> None:
        self._latest = latest

    def read(self, asset_id: str, meter: str) -> Shown | None:
        """What the point shows now; None when it never spoke, or what it said cannot be trusted."""
        reading = self._latest.find(asset_id, meter)
        if reading is None or reading.quality is not Quality.GOOD:
            return None
        value = reading.value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return Shown(float(value), from_us(reading.at_us)) if number else None
