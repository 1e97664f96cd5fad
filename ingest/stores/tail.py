"""The tail of the Parquet store: readings taken but not yet in a part, in memory, by asset and point."""

from collections.abc import Sequence

import polars as pl

from facility.reading import Reading

SCHEMA = pl.Schema(
    {
        "asset": pl.String(),
        "point": pl.String(),
        "at": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
        "text": pl.String(),
        "quality": pl.Int8(),
    }
)
WIDE = pl.Schema(
    {
        **SCHEMA,
        "span": pl.Int64(),
        "count": pl.Int64(),
        "minimum": pl.Float64(),
        "maximum": pl.Float64(),
        "last": pl.Float64(),
    }
)
"""With what a reading stands for: `span` microseconds (0: itself), and for means their count, least, most and last."""
SERIES = ("asset", "point")
KEY = (*SERIES, "at")


class Tail:
    """Readings of the commits `first_seq` to `last_seq`, in the order they came. About 150 bytes each."""

    def __init__(self) -> None:
        self.first_seq = 0
        self.last_seq = 0
        self.rows = 0
        self._series: dict[str, dict[str, list[Reading]]] = {}

    def add(self, first_seq: int, last_seq: int, readings: Sequence[Reading]) -> None:
        """Take the readings of a range that follows what is here."""
        self.first_seq = self.first_seq or first_seq
        self.last_seq = last_seq
        self.rows += len(readings)
        for reading in readings:
            series = self._series.setdefault(reading.asset_id, {})
            found = series.get(reading.point)
            if found is None:
                series[reading.point] = [reading]
            else:
                found.append(reading)

    def find(self, asset_id: str, point: str | None = None) -> list[Reading]:
        """A copy of one series, or of all series of an asset; each in the order it came."""
        series = self._series.get(asset_id, {})
        if point is not None:
            return list(series.get(point, ()))
        return [reading for name in list(series) for reading in list(series[name])]

    def readings(self) -> list[Reading]:
        """Everything; each series in the order it came."""
        return [reading for asset in self._series.values() for series in asset.values() for reading in series]


def to_frame(readings: Sequence[Reading]) -> pl.DataFrame:
    """Rows in the order given; columns as in `SCHEMA`."""
    values = [reading.value for reading in readings]
    return pl.DataFrame(
        {
            "asset": [reading.asset_id for reading in readings],
            "point": [reading.point for reading in readings],
            "at": pl.Series([reading.at_us for reading in readings], dtype=pl.Int64()).cast(SCHEMA["at"]),
            "value": [value if not isinstance(value, str) else None for value in values],
            "text": [value if isinstance(value, str) else None for value in values],
            "quality": [int(reading.quality) for reading in readings],
        },
        schema=SCHEMA,
    )


def newest_wins(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each key, the last of those given; ordered by asset, point and instant.

    A mean and a single reading at the start of its span are two; the mean comes first.
    """
    if "count" not in frame.columns:
        return frame.unique(KEY, keep="last", maintain_order=True).sort(KEY)
    rows = frame.with_columns(is_single=pl.col("count").is_null())
    return rows.unique((*KEY, "is_single"), keep="last", maintain_order=True).sort(*KEY, "is_single").drop("is_single")


def widen(frame: pl.DataFrame) -> pl.DataFrame:
    """With every column of `WIDE`: what is missing is a single reading."""
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in WIDE.items() if name not in frame.columns]
    return frame.with_columns(missing).with_columns(pl.col("span").fill_null(0)).select(WIDE.names())


def to_readings(frame: pl.DataFrame, asset_id: str, point: str | None = None) -> list[Reading]:
    """Rows as readings of an asset, of one point or of what the column says."""
    names = frame.get_column("point").to_list() if point is None else [point] * len(frame)
    rows = frame.select(pl.col("at").cast(pl.Int64()), "value", "text", "quality").iter_rows()
    return [
        Reading(asset_id, name, at_us, text if value is None else value, quality)
        for name, (at_us, value, text, quality) in zip(names, rows, strict=True)
    ]
