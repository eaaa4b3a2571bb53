import gc
import weakref
from contextvars import ContextVar

import gevent
import pytest
from gevent.event import Event

from colorless.deadlines import DeadlineExceeded, fail_after, remaining
from colorless.tasks import TaskCancelled, TaskGroup, go
from tests.tools.fresh import run_fresh

colour: ContextVar[str] = ContextVar("colour")


def fail(error: BaseException) -> None:
    raise error


def test_go_copies_context_variables() -> None:
    """A task sees its parent's context variables, and its changes stay its own."""
    colour.set("green")

    def task() -> str:
        seen = colour.get()
        colour.set("red")
        return seen

    assert go(task).get() == "green"
    assert colour.get() == "green"


def test_tasks_overlap() -> None:
    """Each of three tasks waits until all three are there: they run at the same time."""
    arrived = [Event() for _ in range(3)]

    def meet(place: int) -> int:
        arrived[place].set()
        gevent.wait(arrived)
        return place

    with TaskGroup() as group:
        tasks = [group.go(meet, place) for place in range(3)]
    assert [task.get() for task in tasks] == [0, 1, 2]


def test_block_ends_after_its_tasks() -> None:
    """When the block ends, so have the tasks, and what they cleaned up is done."""
    done = []

    def clean_up_slowly() -> None:
        gevent.sleep(0)
        gevent.sleep(0)
        done.append(True)

    with TaskGroup() as group:
        group.go(clean_up_slowly)
    assert done == [True]


def test_first_error_cancels_the_siblings() -> None:
    """One error ends the others where they wait, runs their clean-up, and is raised as it is."""
    cleaned = []

    def sibling() -> None:
        try:
            Event().wait()
        finally:
            gevent.sleep(0)
            cleaned.append(True)

    with pytest.raises(ValueError, match="first"), TaskGroup() as group:
        group.go(sibling)
        group.go(fail, ValueError("first"))
    assert cleaned == [True]


def test_failing_task_ends_a_block_that_waits() -> None:
    """A block waiting for something else hears of the error, instead of waiting for ever."""
    with pytest.raises(ValueError, match="task"), TaskGroup() as group:
        group.go(fail, ValueError("task"))
        Event().wait()


def test_several_errors_become_a_group() -> None:
    """A task that fails while it is being cancelled is reported beside the first error."""

    def fails_to_clean_up() -> None:
        try:
            Event().wait()
        finally:
            raise KeyError("b")

    with pytest.raises(ExceptionGroup) as caught, TaskGroup() as group:
        group.go(fails_to_clean_up)
        gevent.sleep(0)
        group.go(fail, ValueError("a"))
    assert [type(error) for error in caught.value.exceptions] == [ValueError, KeyError]


def test_error_in_the_block_cancels_its_tasks() -> None:
    """The block's own error ends the tasks and is raised alone."""
    with pytest.raises(ValueError, match="block"), TaskGroup() as group:
        task = group.go(Event().wait)
        raise ValueError("block")
    with pytest.raises(TaskCancelled):
        task.get()


def test_error_that_reaches_the_block_through_get_is_raised_once() -> None:
    """Asking a failed task for its result does not double its error."""
    with pytest.raises(ValueError, match="once"), TaskGroup() as group:
        group.go(fail, ValueError("once")).get()


def test_kill_of_the_block_ends_its_tasks_first() -> None:
    """Whoever kills a green thread with a group kills the group's tasks with it."""
    inner = []

    def parent() -> None:
        with TaskGroup() as group:
            inner.append(group.go(Event().wait))

    task = go(parent)
    gevent.sleep(0)
    task.kill()
    assert inner[0].dead


def test_cancel_ends_tasks_without_an_error() -> None:
    """cancel() is a normal way to end a group."""
    with TaskGroup() as group:
        group.go(Event().wait)
        gevent.sleep(0)
        group.cancel()


def test_gevent_waits_for_tasks_and_kills_them() -> None:
    """What takes greenlets takes tasks: joinall, wait, iwait, killall, also before they begin."""
    assert gevent.joinall([go(len, "one"), go(len, "two")])[0].get() == 3
    quick, slow = go(len, "quick"), go(Event().wait)
    assert gevent.wait([quick, slow], count=1) == [quick]
    assert [task.get() for task in gevent.iwait([quick])] == [5]
    gevent.killall([slow, go(Event().wait)])
    assert slow.dead
    assert slow.cancelled()
    assert not quick.cancelled()


def test_get_waits_only_so_long() -> None:
    """With a timeout, or not at all; the task goes on."""
    gate = Event()
    task = go(gate.wait)
    with pytest.raises(gevent.Timeout):
        task.get(timeout=0.01)
    with pytest.raises(gevent.Timeout):
        task.get(block=False)
    gate.set()
    assert task.get() is True


def test_kill_before_it_begins() -> None:
    """A task that was killed at once has done nothing."""
    done: list[int] = []
    task = go(done.append, 1)
    task.kill()
    gevent.sleep(0)
    assert done == []
    with pytest.raises(TaskCancelled):
        task.get()


def test_cancel_is_a_kill() -> None:
    """A task is no less than a future."""
    task = go(Event().wait)
    gevent.sleep(0)
    assert task.cancel()
    task.join()
    assert task.cancelled()
    assert not task.cancel()


def test_an_error_that_nobody_waits_for_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As gevent does it; the task keeps it, with the traceback of where it was raised."""
    task = go(fail, ValueError("unheard"))
    task.join()
    assert "ValueError: unheard" in capsys.readouterr().err
    with pytest.raises(ValueError, match="unheard") as caught:
        task.get()
    assert "fail" in [entry.name for entry in caught.traceback]


def test_a_task_lets_go_of_its_arguments() -> None:
    """A result that is kept does not keep what it was made from."""

    class Big: ...

    big = Big()
    gone = weakref.ref(big)
    task = go(id, big)
    del big
    task.join()
    assert gone() is None


def test_errors_leave_nothing_for_the_garbage_collector(capsys: pytest.CaptureFixture[str]) -> None:
    """An error, its traceback's frames and the task that keeps it are no cycle."""

    def raises() -> None:
        raise KeyError("y")

    def fails() -> None:
        # Not by pytest.raises(), which keeps what it caught.
        try:
            with TaskGroup() as group:
                group.go(raises)
                group.go(Event().wait)
        except KeyError:
            pass
        go(raises).join()

    def round_of_failures() -> int:
        fails()
        gevent.sleep(0.01)
        return gc.collect()

    round_of_failures()
    gc.disable()
    try:
        assert round_of_failures() == 0
    finally:
        gc.enable()
    assert "KeyError" in capsys.readouterr().err


def test_deadline_passes_through_a_group_as_itself() -> None:
    """Tasks and block that run out of one deadline raise one DeadlineExceeded, not a group."""

    def child() -> None:
        gevent.sleep(0.02)
        remaining()

    with pytest.raises(DeadlineExceeded), fail_after(0.01), TaskGroup() as group:
        group.go(child)
        group.go(child)


def test_go_on_a_closed_group_is_refused() -> None:
    """A task cannot outlive its group by being started late."""
    with TaskGroup() as group:
        pass
    with pytest.raises(RuntimeError, match="inside its with block"):
        group.go(fail, ValueError())


def test_what_is_no_function_is_refused_with_what_to_write() -> None:
    """A function's result or a coroutine function in its place is refused where it is given."""

    async def coloured() -> None: ...

    with TaskGroup() as group:
        for start in (go, group.go):
            with pytest.raises(TypeError, match=r"go\(fn, 1\), not None"):
                start(None)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match=r"go\(await_, fn\(1\)\)"):
                start(coloured)


@pytest.mark.parametrize(
    "use", ["go(print)", "with TaskGroup() as g: g.go(print)", "with fail_after(1): pass"]
)
def test_an_unpatched_process_is_refused(use: str) -> None:
    """Where nothing cooperates, tasks and deadlines say so and name the line to add."""
    done = run_fresh(f"from colorless import TaskGroup, fail_after, go\n{use}")
    assert "NotPatchedError" in done.stderr
    assert "import patch_everything; patch_everything()" in done.stderr
