"""Medians over rounds, with intervals that assume nothing about the distribution."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class Estimate:
    """A median, and an interval that holds the true median with probability `coverage`."""

    median: float
    low: float
    high: float
    coverage: float
    count: int


def estimate(values: Sequence[float]) -> Estimate:
    """The interval between order statistics: the narrowest that covers at least 90 %.

    With five rounds that is smallest to largest (94 %); with fewer, the range and less coverage.
    Raises ValueError for no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("an estimate needs at least one value")
    count, inward = len(ordered), 0
    while inward + 1 < count / 2 and _coverage(count, inward + 1) >= 0.9:
        inward += 1
    return Estimate(
        statistics.median(ordered),
        ordered[inward],
        ordered[count - 1 - inward],
        _coverage(count, inward),
        count,
    )


def _coverage(count: int, inward: int) -> float:
    """That the median lies between the order statistics `inward` places from either end."""
    outside = sum(comb(count, k) for k in range(inward + 1))
    return max(0.0, 1 - 2 * outside / float(2**count))
