"""What it costs plain code to wait for a coroutine, as ratios of one run.

    python -m comparison.micro.bridge [--seconds 20]

Four ways of ``asyncio.sleep(0)`` from a green thread or a thread, in CPU time of the process:
``await_`` of this package; ``gevent.sleep(0)``, which waits for nothing; the best bridge to a
loop on a native thread (uvloop, one wake-up per burst); and ``anyio.from_thread.run`` in plain
threads, where nothing is patched. The last one runs in a process of its own.

Everything is measured in short turns one after the other, and a ratio is the median of the
ratios of neighbouring turns: a machine that is busy with other things is so for both.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

CALLS_PER_TURN = 500
GREEN_THREADS, CALLS_EACH = 200, 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--part", choices=["green", "anyio"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        part = green if arguments.part == "green" else anyio_in_threads
        print(json.dumps(part(arguments.seconds)))
        return
    ours = _in_a_process("green", arguments.seconds * 0.7)
    theirs = _in_a_process("anyio", arguments.seconds * 0.3)
    print("CPU time per call, median")
    for name, microseconds in {**ours["cost"], **theirs["cost"]}.items():
        print(f"  {name:44}{microseconds:8.1f} µs")
    print("ratios, median of neighbouring turns")
    for name, ratio in ours["ratio"].items():
        print(f"  {name:56}{ratio:6.2f}")
    ratio = theirs["cost"]["anyio.from_thread.run"] / ours["cost"]["await_, one green thread"]
    print(f"  {'anyio.from_thread.run / await_ (two processes)':56}{ratio:6.2f}")


def _in_a_process(part: str, seconds: float) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-m", "comparison.micro.bridge", "--part", part]
    output = subprocess.run(
        [*command, "--seconds", str(seconds)], capture_output=True, text=True, check=True
    )
    result: dict[str, dict[str, float]] = json.loads(output.stdout)
    return result


def green(seconds: float) -> dict[str, dict[str, float]]:
    """await_, gevent.sleep and the native thread, in a patched process."""
    from colorless.patch import patch_everything

    patch_everything()
    import asyncio

    import gevent

    from colorless.bridge import await_
    from comparison.micro.native_thread import NativeThread

    native = NativeThread()

    def ours() -> None:
        await_(asyncio.sleep(0))

    def theirs() -> None:
        native.await_(asyncio.sleep(0))

    def alone(call: Callable[[], None]) -> Callable[[], None]:
        def turn() -> None:
            for _ in range(CALLS_PER_TURN):
                call()

        return turn

    def many(call: Callable[[], None]) -> Callable[[], None]:
        def each() -> None:
            for _ in range(CALLS_EACH):
                call()

        def turn() -> None:
            gevent.joinall([gevent.spawn(each) for _ in range(GREEN_THREADS)], raise_error=True)

        return turn

    turns = {
        "gevent.sleep(0)": (alone(lambda: gevent.sleep(0)), CALLS_PER_TURN),
        "await_, one green thread": (alone(ours), CALLS_PER_TURN),
        "await_, 200 green threads": (many(ours), GREEN_THREADS * CALLS_EACH),
        "native thread with uvloop, 200 green threads": (many(theirs), GREEN_THREADS * CALLS_EACH),
        "native thread with uvloop, one green thread": (alone(theirs), CALLS_PER_TURN),
    }
    costs = _measure(turns, seconds)
    pairs = {
        "await_ / gevent.sleep(0)": ("await_, one green thread", "gevent.sleep(0)"),
        "await_ / native thread, 200 green threads": (
            "await_, 200 green threads",
            "native thread with uvloop, 200 green threads",
        ),
        "await_ / native thread, one green thread": (
            "await_, one green thread",
            "native thread with uvloop, one green thread",
        ),
    }
    return {
        "cost": {name: statistics.median(samples) for name, samples in costs.items()},
        "ratio": {
            name: statistics.median(a / b for a, b in zip(costs[ours], costs[theirs], strict=True))
            for name, (ours, theirs) in pairs.items()
        },
    }


def anyio_in_threads(seconds: float) -> dict[str, dict[str, float]]:
    """``anyio.from_thread.run`` from a worker thread to asyncio's own loop, nothing patched."""
    import anyio
    import anyio.from_thread
    import anyio.to_thread

    def turn() -> None:
        for _ in range(CALLS_PER_TURN):
            anyio.from_thread.run(anyio.sleep, 0)

    def measure() -> dict[str, list[float]]:
        return _measure({"anyio.from_thread.run": (turn, CALLS_PER_TURN)}, seconds)

    async def main() -> dict[str, list[float]]:
        return await anyio.to_thread.run_sync(measure)

    costs = anyio.run(main)
    return {"cost": {name: statistics.median(samples) for name, samples in costs.items()}}


def _measure(
    turns: dict[str, tuple[Callable[[], None], int]], seconds: float
) -> dict[str, list[float]]:
    """Microseconds of CPU per call, in turns; the first round only warms up."""
    costs: dict[str, list[float]] = {name: [] for name in turns}
    end = time.monotonic() + seconds
    warm = False
    while not warm or time.monotonic() < end:
        for name, (turn, calls) in turns.items():
            started = time.process_time()
            turn()
            if warm:
                costs[name].append((time.process_time() - started) / calls * 1e6)
        warm = True
    return costs


if __name__ == "__main__":
    main()
