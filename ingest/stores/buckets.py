"""Means over equal spans of time, with the quality that `SeriesStore.read` promises."""

import polars as pl


def into_buckets(frame: pl.DataFrame, every_us: int) -> pl.DataFrame:
    """Rows (`at`, `value`, `text`, `quality`), ordered, each instant once, as one row for each bucket that holds any.

    Buckets are counted from the epoch, and `at` is a bucket's start. A row with `count` is a mean of so many.
    """
    at_us = pl.col("at").cast(pl.Int64())
    good = pl.col("quality") == 0
    some_good = good.any()
    weight = (pl.col("count").fill_null(1) if "count" in frame.columns else pl.lit(1)) * pl.col("value").is_not_null()
    text = pl.col("text").drop_nulls()

    def mean(which: pl.Expr) -> pl.Expr:
        """Of the rows that hold a number, each by what it counts; null without any."""
        total = weight.filter(which).sum()
        return pl.when(total > 0).then((pl.col("value") * weight).filter(which).sum() / total)

    return (
        frame.with_columns(at=(at_us - at_us % every_us).cast(frame.schema["at"]))
        .group_by("at", maintain_order=True)
        .agg(
            value=pl.when(some_good).then(mean(good)).otherwise(mean(~good)),
            text=pl.when(some_good).then(pl.col("text").filter(good).drop_nulls().last()).otherwise(text.last()),
            quality=pl.when(some_good).then(pl.lit(0)).otherwise(pl.col("quality").max()).cast(frame.schema["quality"]),
        )
    )
