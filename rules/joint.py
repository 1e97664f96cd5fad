"""How several numbers of an asset usually go together: Mahalanobis' distance from what they did while they were learnt.

Each number is centred and scaled by median and median absolute deviation; what lies further than CLIP spreads out
counts as CLIP when the correlations are taken, and these are shrunk towards none, so that neither a wild row nor two
numbers that are one make the distance explode. The result is in units of the training's own EDGE quantile: 1 is as far
off as one row in a hundred was while it learnt.
"""

import math
from collections.abc import Sequence
from statistics import median

import msgspec

MAX_ROWS = 600
MIN_ROWS = 30
CLIP = 3.0
SHRINKAGE = 0.03
EDGE = 0.99
_SIGMA = 1.4826


class Joint(msgspec.Struct, array_like=True, tag="joint"):
    """`rows` are kept while it trains, every `stride`-th of `seen`; `factor` is the lower triangle of the correlations'
    Cholesky factor, row by row, empty until it is trained.
    """

    started_us: int = -1
    at_us: int = -1
    seen: int = 0
    stride: int = 1
    rows: list[list[float]] = []
    centres: list[float] = []
    scales: list[float] = []
    factor: list[float] = []
    edge: float = 1.0

    def add(self, at_us: int, row: Sequence[float], train_us: int, follow_us: int) -> None:
        """One row of numbers; a second one at the same instant is the same one."""
        if at_us <= self.at_us:
            return
        passed, self.at_us = at_us - self.at_us, at_us
        if self.started_us < 0:
            self.started_us = at_us
        if self.factor:
            self._follow(row, min(passed / follow_us, 1.0))
            return
        if at_us - self.started_us >= train_us and len(self.rows) >= max(MIN_ROWS, 3 * len(row)):
            self._train()
            return
        if self.seen % self.stride == 0:
            self.rows.append(list(row))
            if len(self.rows) >= MAX_ROWS:
                del self.rows[1::2]
                self.stride *= 2
        self.seen += 1

    def distance(self, row: Sequence[float]) -> float | None:
        """How far the row lies from what is usual, 1 being its edge; None until it is trained."""
        if not self.factor:
            return None
        return self._raw([(x - c) / s for x, c, s in zip(row, self.centres, self.scales, strict=True)]) / self.edge

    def remaining_us(self, now_us: int, train_us: int) -> int:
        """How long it still trains at `now_us`, 0 when it is trained."""
        if self.factor:
            return 0
        passed = now_us - self.started_us if self.started_us >= 0 else 0
        return max(train_us - passed, 1)

    def forget(self) -> None:
        """Learn anew from here on."""
        self.started_us, self.seen, self.stride, self.rows, self.factor = -1, 0, 1, [], []

    def _train(self) -> None:
        columns = list(zip(*self.rows, strict=True))
        self.centres = [median(column) for column in columns]
        self.scales = [_scale(column, centre) for column, centre in zip(columns, self.centres, strict=True)]
        scaled = [[(x - c) / s for x, c, s in zip(row, self.centres, self.scales, strict=True)] for row in self.rows]
        clipped = [[min(max(x, -CLIP), CLIP) for x in row] for row in scaled]
        self.factor = _cholesky(_correlations(clipped))
        distances = sorted(self._raw(row) for row in scaled)
        self.edge = max(distances[int(EDGE * (len(distances) - 1))], 1e-9)
        self.rows = []

    def _follow(self, row: Sequence[float], share: float) -> None:
        """Creep towards a row that is usual, by at most one spread per `follow`."""
        distance = self.distance(row)
        if distance is not None and distance <= 1.0:
            for index, x in enumerate(row):
                step = self.scales[index] * share
                self.centres[index] += min(max(x - self.centres[index], -step), step)

    def _raw(self, scaled: Sequence[float]) -> float:
        """The length of the row after the factor's inverse."""
        solved: list[float] = []
        squares, start = 0.0, 0
        for index, x in enumerate(scaled):
            for number in range(index):
                x -= self.factor[start + number] * solved[number]  # noqa: PLW2901 - forward substitution
            x /= self.factor[start + index]  # noqa: PLW2901 - as above
            solved.append(x)
            squares += x * x
            start += index + 1
        return math.sqrt(squares)


def _scale(column: Sequence[float], centre: float) -> float:
    """Robust spread; of a number that hardly moves what its mean deviation or its last digit says."""
    robust = _SIGMA * median(abs(x - centre) for x in column)
    plain = sum(abs(x - centre) for x in column) / len(column)
    return max(robust, plain, abs(centre) * 0.001, 1e-9)


def _correlations(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Second moments about the centre, scaled to one on the diagonal and shrunk towards none beside it."""
    size = range(len(rows[0]))
    moments = [[sum(row[i] * row[j] for row in rows) for j in size] for i in size]
    roots = [math.sqrt(max(moments[i][i], 1e-12)) for i in size]
    return [[1.0 if i == j else (1 - SHRINKAGE) * moments[i][j] / (roots[i] * roots[j]) for j in size] for i in size]


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[float]:
    """The lower triangle of the factor, row by row. Shrinkage makes the matrix positive definite."""
    rows: list[list[float]] = []
    for i, line in enumerate(matrix):
        row: list[float] = []
        for j in range(i + 1):
            rest = line[j] - sum(row[k] * (rows[j] if j < i else row)[k] for k in range(j))
            row.append(math.sqrt(max(rest, 1e-9)) if i == j else rest / rows[j][j])
        rows.append(row)
    return [x for row in rows for x in row]
