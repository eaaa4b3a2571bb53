"""When a webhook is tried again, on a clock that only runs in the test."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chat.retry_schedule import (
    FACTOR,
    FIRST,
    GIVE_UP_AFTER,
    JITTER,
    LONGEST,
    after_failure,
)


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_a_receiver_that_stays_away_is_tried_for_three_days() -> None:
    """Each pause is the factor longer, up to the longest; then the webhook is disabled."""
    clock, failures, pauses = 0.0, 0, []
    while True:
        failures += 1
        verdict = after_failure(failures, clock, random_between=middle)
        if verdict.disable:
            break
        pauses.append(verdict.delay)
        clock += verdict.delay
    assert pauses[:3] == [FIRST, FIRST * FACTOR, FIRST * FACTOR**2]
    assert pauses[-1] == LONGEST
    assert pauses == sorted(pauses)
    assert GIVE_UP_AFTER <= clock < GIVE_UP_AFTER + LONGEST
    assert failures == 19


@given(st.integers(1, 10_000), st.floats(0, GIVE_UP_AFTER, exclude_max=True), st.integers())
def test_no_pause_is_short_or_endless(failures: int, failing_for: float, seed: int) -> None:
    """However often it failed, the next try comes, and not in step with others."""
    verdict = after_failure(failures, failing_for, random_between=random.Random(seed).uniform)
    assert not verdict.disable
    assert FIRST * (1 - JITTER) <= verdict.delay <= LONGEST * (1 + JITTER)


def test_pauses_differ() -> None:
    """A hundred webhooks of one receiver that was away do not come back at one moment."""
    assert len({after_failure(3, 0.0).delay for _ in range(100)}) == 100


def test_what_the_receiver_asks_for_is_heard() -> None:
    """Retry-After makes a pause longer, within bounds, and never shorter."""
    assert after_failure(1, 0.0, asked_for=120, random_between=middle).delay == 120
    assert after_failure(3, 0.0, asked_for=1, random_between=middle).delay == FIRST * FACTOR**2
    assert after_failure(1, 0.0, asked_for=1e9, random_between=middle).delay == LONGEST


@pytest.mark.parametrize(
    "status, disable", [(410, True), (404, False), (500, False), (None, False)]
)
def test_gone_means_gone(status: int | None, disable: bool) -> None:
    """A receiver that answers 410 is not tried again; all else may be a passing fault."""
    assert after_failure(1, 0.0, status=status).disable is disable
