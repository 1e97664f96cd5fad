"""Means over equal spans of time, with the quality that `SeriesStore.read` promises."""

import polars as pl


def into_buckets(frame: pl.DataFrame, every_us: int) -> pl.DataFrame:
    """Rows (`at`, `value`, `text`, `quality`), ordered, each instant once, as one row for each bucket that holds any.

    Buckets are counted from the epoch, and `at` is a bucket's start.
    """
    at_us = pl.col("at").cast(pl.Int64())
    good = pl.col("quality") == 0
    some_good = good.any()
    value, text = pl.col("value"), pl.col("text").drop_nulls()
    return (
        frame.with_columns(at=(at_us - at_us % every_us).cast(frame.schema["at"]))
        .group_by("at", maintain_order=True)
        .agg(
            value=pl.when(some_good).then(value.filter(good).mean()).otherwise(value.mean()),
            text=pl.when(some_good).then(pl.col("text").filter(good).drop_nulls().last()).otherwise(text.last()),
            quality=pl.when(some_good).then(pl.lit(0)).otherwise(pl.col("quality").max()).cast(frame.schema["quality"]),
        )
    )
