import asyncio
import subprocess
import sys

import gevent

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
