"""When to try a webhook again: later each time, never in step with others, and not for ever."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

# Seconds. After the example in the Standard Webhooks specification, which goes on for three days.
FIRST = 5.0
FACTOR = 4.0
LONGEST = 6 * 3600.0
GIVE_UP_AFTER = 3 * 24 * 3600.0
# Each delay is up to this part of it longer or shorter; guessed.
JITTER = 0.2

GONE = 410  # what a receiver answers that wants nothing any more


class RetryDecision(NamedTuple):
    """What follows from a failure: another try after ``delay`` seconds, or none any more."""

    delay: float
    disable: bool


def after_failure(
    failures: int,
    failing_for: float,
    *,
    status: int | None = None,
    asked_for: float = 0.0,
    dice: Callable[[float, float], float] = random.uniform,
) -> RetryDecision:
    """``failures`` in a row, this one included, over ``failing_for`` seconds. ``asked_for`` is
    what the receiver said in Retry-After; it makes the delay longer, never shorter."""
    if status == GONE or failing_for >= GIVE_UP_AFTER:
        return RetryDecision(0.0, disable=True)
    # Beyond the tenth power it is the longest anyway, and a float has an end.
    delay = min(FIRST * FACTOR ** min(failures - 1, 10), LONGEST)
    delay *= dice(1 - JITTER, 1 + JITTER)
    return RetryDecision(max(delay, min(asked_for, LONGEST)), disable=False)
