"""Start a shard for each core, and end them all: on the last test, on Ctrl-C, on SIGTERM."""

import io
import os
import random
import signal
import sys
import threading
from typing import NoReturn

from tests.shards import durations
from tests.shards.plan import Plan
from tests.shards.pulse import Pulse
from tests.shards.results import Results
from tests.shards.shard import Shard

_NOTHING_RAN = 5  # pytest's exit status for it


def main(args: list[str]) -> int:
    """Run the tests that pytest would run for these arguments; the exit status is pytest's."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a failure may show any text
    number = int(os.environ.get("SHARDS") or len(os.sched_getaffinity(0)))
    seed = _seed()
    if seed is not None:
        print(f"in random order; again with: ORDER=random SEED={seed}", flush=True)
        args = [f"--shard-seed={seed}", *args]
    plan = Plan(durations.known(), durations.UNKNOWN, seed)
    results = Results()
    pulse = Pulse()
    pulse.start()
    shards = [Shard(each, args, plan, results, pulse) for each in range(1, number + 1)]
    ended = _run(shards, plan)
    while not ended and plan.again():
        shards.append(Shard(len(shards) + 1, args, plan, results, pulse))
        ended = _run(shards[-1:], plan)
    results.summary(number, ended)
    if not args and not ended:
        durations.remember(results.seconds)
    return _status(shards, results, ended)


def _seed() -> str | None:
    order = os.environ.get("ORDER", "")
    if order not in ("", "random"):
        sys.exit(f"ORDER is {order!r}; it may be 'random', or unset")
    if order == "random":
        return os.environ.get("SEED") or str(random.randrange(10**6))
    return None


def _run(shards: list[Shard], plan: Plan) -> str:
    """Why it ended before its time, or nothing."""
    signal.signal(signal.SIGTERM, _terminated)
    threads = [threading.Thread(target=shard.run, daemon=True) for shard in shards]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except (KeyboardInterrupt, SystemExit) as why:
        plan.stop()
        print("\nending the shards …", flush=True)
        enders = [threading.Thread(target=shard.end) for shard in shards]
        for thread in enders:
            thread.start()
        for thread in (*enders, *threads):
            thread.join()
        return "interrupted, " if isinstance(why, KeyboardInterrupt) else "terminated, "
    return ""


def _status(shards: list[Shard], results: Results, ended: str) -> int:
    if ended:
        return 2
    refused = next((shard.status for shard in shards if shard.status), 0)
    if refused or results.failures:
        return refused or 1
    return 0 if results.counts else _NOTHING_RAN


def _terminated(*_: object) -> NoReturn:
    sys.exit(2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
