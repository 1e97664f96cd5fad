"""Makes many readings few: means of what sensors measure, and of states and counters the readings that say something.

Pure, and doing it again changes nothing. A reading that comes late, after its span was thinned, is counted into the
mean that stands there.
"""

from collections.abc import Mapping

import polars as pl

from facility.catalogue import PointKind
from ingest.stores.keeping import GONE, Span, kind_of
from ingest.stores.tail import SERIES, WIDE

_AT_US = pl.col("at").cast(pl.Int64())
_OTHER = "other"


def thin(frame: pl.DataFrame, wanted: Mapping[str, Span]) -> pl.DataFrame:
    """The rows (`WIDE`; each instant once) as they should be kept, ordered; `wanted` by point, others stay as they are.

    A row that stands for as long as wanted, or longer, stays as it is.
    """
    points = frame.get_column("point").unique().to_list()
    spans = {point: wanted.get(point, 0) for point in points}
    kinds = {point: _kind(point) for point in points}
    kept = frame.filter(~pl.col("point").is_in([point for point in points if spans[point] is GONE]))
    kept = kept.with_columns(
        want=pl.col("point").replace_strict(
            {point: span or 0 for point, span in spans.items()}, return_dtype=pl.Int64(), default=0
        ),
        kind=pl.col("point").replace_strict(kinds, return_dtype=pl.String(), default=_OTHER),
    ).with_columns(bucket=pl.when(pl.col("want") > 0).then(_AT_US - _AT_US % pl.col("want")).otherwise(_AT_US))
    stay = kept.filter(pl.col("want") == 0)
    work = kept.filter(pl.col("want") > 0)
    is_measured = (pl.col("kind") == PointKind.SENSOR.value) & pl.col("text").is_null()
    parts = [stay, _means(work.filter(is_measured)), _selected(work.filter(~is_measured))]
    return pl.concat([part.select(WIDE.names()) for part in parts]).sort(*SERIES, "at", "count", nulls_last=True)


def _kind(point: str) -> str:
    return kind_of(point).value


def _means(work: pl.DataFrame) -> pl.DataFrame:
    """One row a bucket, at its start. A bucket with good readings speaks only of those, as in `SeriesStore.read`."""
    key = (*SERIES, "bucket")
    is_due = (pl.col("span") < pl.col("want")).any().over(key)
    done, due = work.filter(~is_due), work.filter(is_due).sort(*SERIES, "at")
    weight = pl.col("count").fill_null(1)
    good = pl.col("quality") == 0
    due = due.filter(good | ~good.any().over(key))
    due = due.group_by(key, maintain_order=True).agg(
        at=pl.col("bucket").first().cast(WIDE["at"]),
        value=(pl.col("value") * weight).sum() / weight.sum(),
        text=pl.lit(None, dtype=pl.String()),
        quality=pl.col("quality").max(),
        span=pl.col("want").first(),
        count=weight.sum().cast(WIDE["count"]),
        minimum=pl.coalesce("minimum", "value").min(),
        maximum=pl.coalesce("maximum", "value").max(),
        last=pl.coalesce("last", "value").last(),
    )
    return pl.concat([done.select(WIDE.names()), due.select(WIDE.names())])


def _selected(work: pl.DataFrame) -> pl.DataFrame:
    """Readings themselves: the first, changes of a state, both sides of a counter's fall, the last of each bucket."""
    work = work.sort(*SERIES, "at")
    changed = pl.struct("value", "text", "quality")
    is_counter = pl.col("kind") == PointKind.COUNTER.value
    falls = (pl.col("value") < pl.col("value").shift(1).over(SERIES)).fill_null(value=False)
    keeps = (
        (pl.col("span") >= pl.col("want"))
        | (pl.int_range(pl.len()).over(SERIES) == 0)
        | (~is_counter & (changed != changed.shift(1)).over(SERIES).fill_null(value=True))
        | (is_counter & (falls | falls.shift(-1).over(SERIES).fill_null(value=False)))
        | (pl.int_range(pl.len()).over(*SERIES, "bucket") == pl.len().over(*SERIES, "bucket") - 1)
    )
    return work.filter(keeps).with_columns(span=pl.max_horizontal("span", "want"))
