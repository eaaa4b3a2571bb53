import asyncio
import os
import subprocess
import sys
from typing import Any

import gevent
import pytest

from colorless.loop.subprocesses import Child

PYTHON = sys.executable


def test_output_input_and_exit_code() -> None:
    """A pipe in, a pipe out, and what the process returned."""

    async def main() -> tuple[bytes, int | None]:
        code = "import sys; print(sys.stdin.read().upper(), end=''); sys.exit(3)"
        child = await asyncio.create_subprocess_exec(
            PYTHON, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out, _ = await child.communicate(b"green")
        return out, child.returncode

    assert asyncio.run(main()) == (b"GREEN", 3)


def test_asyncio_and_gevent_wait_for_children_side_by_side() -> None:
    """Neither takes the other's child away (a second SIGCHLD handler would)."""

    async def one(number: int) -> int:
        child = await asyncio.create_subprocess_exec(PYTHON, "-c", f"exit({number})")
        return await child.wait()

    async def many() -> list[int]:
        return await asyncio.gather(*(one(number) for number in range(1, 5)))

    def plain(number: int) -> int:
        return subprocess.run([PYTHON, "-c", f"exit({number})"], check=False).returncode

    threads = [gevent.spawn(plain, number) for number in range(11, 15)]
    assert asyncio.run(many()) == [1, 2, 3, 4]
    assert [thread.get() for thread in threads] == [11, 12, 13, 14]
    assert plain(5) == 5


def test_a_child_is_killed_with_its_task() -> None:
    """Cancel whoever waits for it, kill, and its end is still seen."""

    async def main() -> int:
        child = await asyncio.create_subprocess_exec(PYTHON, "-c", "import time; time.sleep(60)")
        try:
            await asyncio.wait_for(child.wait(), 0.05)
        except TimeoutError:
            child.kill()
        return await child.wait()

    assert asyncio.run(main()) == -9


def test_a_shell() -> None:
    """create_subprocess_shell, with the error stream."""

    async def main() -> bytes:
        child = await asyncio.create_subprocess_shell("echo no >&2", stderr=subprocess.PIPE)
        _, errors = await child.communicate()
        return errors

    assert asyncio.run(main()) == b"no\n"


def _children_with(mark: str) -> list[str]:
    """The processes that run and have ``mark`` in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as command:
                if stat.read().rsplit(")", 1)[1].split()[0] != "Z" and mark in command.read():
                    found.append(pid)
        except OSError:
            continue  # it has ended meanwhile
    return found


@pytest.mark.parametrize("turns", range(8))
def test_a_cancelled_start_leaves_no_child(turns: int) -> None:
    """Whenever the cancel comes: the child has been killed and is gone when the task ends."""
    mark = f"cancelled-{os.getpid()}-{turns}"
    code = f"import time; time.sleep(60)  # {mark}"

    async def main() -> None:
        start = asyncio.create_subprocess_exec(
            PYTHON, "-S", "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        task = asyncio.create_task(start)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            child = await task
        except asyncio.CancelledError:
            pass
        else:  # it was through already
            child.kill()
            await child.wait()

    asyncio.run(main())
    assert _children_with(mark) == []


def test_starting_a_child_lets_nobody_else_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on asyncio it is one step, so nothing can arrive in the middle of it."""
    others = 0
    meanwhile: list[int] = []

    class Observed(Child):
        def __init__(self, *args: Any, **options: Any) -> None:
            before = others
            super().__init__(*args, **options)
            meanwhile.append(others - before)

    def count() -> None:
        nonlocal others
        while True:
            others += 1
            gevent.sleep()

    async def main() -> int | None:
        child = await asyncio.create_subprocess_exec(PYTHON, "-S", "-c", "pass")
        return await child.wait()

    monkeypatch.setattr("colorless.loop.subprocesses.Child", Observed)
    counter = gevent.spawn(count)
    assert asyncio.run(main()) == 0
    counter.kill()
    assert others > 1
    assert meanwhile == [0]


def test_an_error_before_the_program_begins_has_the_standard_librarys_class() -> None:
    """``SubprocessError`` for one in ``preexec_fn``, ``FileNotFoundError`` for no such program."""

    async def main() -> None:
        with pytest.raises(subprocess.SubprocessError, match="preexec_fn"):
            await asyncio.create_subprocess_exec(PYTHON, preexec_fn=lambda: 1 / 0)
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("/no/such/program")

    asyncio.run(main())


def test_the_process_object_waits_green() -> None:
    """Who takes the ``Popen`` from the transport may ask it and wait for it."""

    async def main() -> tuple[int, int | None]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.subprocess_exec(
            asyncio.SubprocessProtocol, PYTHON, "-S", "-c", "input()", stdout=None, stderr=None
        )
        process: subprocess.Popen[bytes] = transport.get_extra_info("subprocess")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.001)
        transport.get_pipe_transport(0).close()  # type: ignore[union-attr]
        code = process.wait(30)
        transport.close()
        return code, process.poll()

    assert asyncio.run(main()) == (1, 1)
