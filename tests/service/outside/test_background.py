"""What runs beside the requests: a few pieces at a time, restarted, ended in a drain."""

from collections.abc import Callable

import gevent
import pytest
from gevent.event import Event

from service.background import Background
from service.backoff import Backoff
from service.job_runner import JobRunner
from tests.tools.work import until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses after a failure that a test can sit out."""
    monkeypatch.setattr(Backoff, "delay", lambda self: 0.001)


class Queue:
    """Work that waits, as a database would have it."""

    def __init__(self, *works: Callable[[], None]) -> None:
        self.works = list(works)

    def take(self) -> Callable[[], None] | None:
        return self.works.pop(0) if self.works else None


def test_a_few_pieces_are_done_at_a_time() -> None:
    """As many as there are places, and the next as soon as one is free."""
    inside, most = 0, 0
    full, go_on = Event(), Event()

    def work() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 3:
            full.set()
        go_on.wait()
        inside -= 1

    queue = Queue(*[lambda: work() for _ in range(10)])
    jobs = Background({"jobs": JobRunner(queue.take, max_running=3)})
    jobs.start()
    assert full.wait(20)
    gevent.sleep(0)
    assert len(queue.works) == 7
    go_on.set()
    until(lambda: not queue.works and not inside)
    jobs.stop(grace=20)
    assert most == 3


def test_work_that_fails_stops_no_other() -> None:
    """It is logged, and its place is free again."""
    done = Event()

    def fail() -> None:
        raise ValueError("a piece that went wrong")

    jobs = Background({"jobs": JobRunner(Queue(fail, fail, done.set).take, max_running=1)})
    jobs.start()
    assert done.wait(20)
    jobs.stop(grace=20)


def test_what_is_under_way_is_finished_and_nothing_new_begun() -> None:
    """A drain waits for the pieces that run; those that wait stay where they are."""
    began, go_on, ended = Event(), Event(), Event()

    def work() -> None:
        began.set()
        go_on.wait()
        ended.set()

    queue = Queue(work, work)
    jobs = Background({"jobs": JobRunner(queue.take, max_running=1)})
    jobs.start()
    assert began.wait(20)
    stopping = gevent.spawn(jobs.stop, grace=20)
    gevent.sleep(0)
    assert not stopping.dead
    go_on.set()
    stopping.join()
    assert ended.is_set()
    assert len(queue.works) == 1


def test_what_does_not_end_is_killed() -> None:
    """Where it waits, so that it can clean up: give its work back, say."""
    began, cleaned = Event(), Event()

    def work() -> None:
        try:
            began.set()
            Event().wait()
        finally:
            cleaned.set()

    jobs = Background({"jobs": JobRunner(Queue(work).take, max_running=1)})
    jobs.start()
    assert began.wait(20)
    jobs.stop(grace=0)
    assert cleaned.is_set()


@pytest.mark.usefixtures("quick")
def test_a_job_that_fails_is_started_again() -> None:
    """As when the database is away for a while."""
    done, fails = Event(), [OSError("away"), OSError("still away")]

    def take() -> Callable[[], None] | None:
        if fails:
            raise fails.pop()
        return done.set

    jobs = Background({"jobs": JobRunner(take, max_running=1)})
    jobs.start()
    assert done.wait(20)
    jobs.stop(grace=20)
    assert not fails


def test_what_never_started_is_stopped_at_once() -> None:
    """A worker that fails while it boots ends well."""
    Background({"jobs": JobRunner(Queue().take, max_running=1)}).stop(grace=20)
