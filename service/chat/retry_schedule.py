"""When a webhook that failed is tried again: exponential backoff with jitter, for three days."""

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

GONE = 410  # the receiver answers so to get no more events


class RetryDecision(NamedTuple):
    """What follows from a failure: another attempt after ``delay`` seconds, or ``disable``."""

    delay: float
    disable: bool


def after_failure(
    failures: int,
    failing_for: float,
    *,
    status: int | None = None,
    asked_for: float = 0.0,
    random_between: Callable[[float, float], float] = random.uniform,
) -> RetryDecision:
    """What to do after a failed attempt.

    ``failures`` is the number of failures in a row, this one included, and ``failing_for`` the
    seconds since the first of them. ``status`` is the receiver's, if it answered. ``asked_for`` is
    its Retry-After in seconds; that makes the delay longer, never shorter.
    """
    if status == GONE or failing_for >= GIVE_UP_AFTER:
        return RetryDecision(0.0, disable=True)
    # The exponent is limited, since the delay is LONGEST by then and a float would overflow.
    delay = min(FIRST * FACTOR ** min(failures - 1, 10), LONGEST)
    delay *= random_between(1 - JITTER, 1 + JITTER)
    return RetryDecision(max(delay, min(asked_for, LONGEST)), disable=False)
