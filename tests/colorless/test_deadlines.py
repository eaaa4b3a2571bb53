import gevent
import pytest
from gevent.event import Event

from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after, remaining
from colorless.tasks import go


def test_wait_ends_with_an_ordinary_exception() -> None:
    """What ends the wait can be caught by `except Exception`, and is a TimeoutError."""
    with pytest.raises(TimeoutError) as caught, fail_after(0.01) as scope:
        Event().wait()
    assert isinstance(caught.value, DeadlineExceeded)
    assert scope.expired


def test_block_that_ends_in_time_is_left_alone() -> None:
    """Nothing is thrown into a green thread after its block has ended."""
    with fail_after(0.01) as scope:
        pass
    gevent.sleep(0.02)
    assert not scope.expired


def test_move_on_goes_on_behind_the_block() -> None:
    """move_on_after swallows its own deadline and tells that it passed."""
    with move_on_after(0.01) as scope:
        Event().wait()
    assert scope.expired


def test_outer_deadline_passes_through_an_inner_move_on() -> None:
    """A block swallows its own deadline only: the outer one goes on to the outer block."""
    with pytest.raises(DeadlineExceeded) as caught, fail_after(0.01) as outer, move_on_after(60):
        Event().wait()
    assert caught.value.scope is outer


def test_inner_block_never_extends_the_outer() -> None:
    """The time left inside is the smaller of the two."""
    with fail_after(1), fail_after(60):
        left = remaining()
    assert left is not None
    assert left <= 1


def test_remaining_without_a_deadline_is_the_limit() -> None:
    """Without a deadline only the caller's own limit holds."""
    assert remaining() is None
    assert remaining(5) == 5


def test_remaining_raises_once_the_time_is_up() -> None:
    """Code that swallowed the exception is told again at its next wait."""
    with pytest.raises(DeadlineExceeded), fail_after(0.01):
        try:
            Event().wait()
        except DeadlineExceeded:
            remaining()


def test_children_inherit_the_deadline() -> None:
    """A task started inside the block knows how much time is left."""
    with fail_after(1):
        left = go(remaining).get()
    assert left is not None
    assert left <= 1


def test_deadline_ends_with_its_block() -> None:
    """Behind the block the old limit holds again."""
    with fail_after(1):
        pass
    assert remaining() is None
