"""What ``go`` costs beside ``gevent.spawn``: ``python -m comparison.micro.tasks``.

CPU time of this process for a task that does nothing, started in batches and waited for, with ten
context variables set; the two take turns, and the ratio is the median of the rounds.
"""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import statistics
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import gevent

from colorless.tasks import go

ROUNDS = 9
BATCHES = 100
BATCH = 100
GOAL = 1.5


def main() -> None:
    """Print the two costs and their ratio."""
    for number in range(10):
        ContextVar(f"variable_{number}", default=0).set(number)
    rounds = [(_micros(gevent.spawn), _micros(go)) for _ in range(ROUNDS)]
    spawned, went = (statistics.median(costs) for costs in zip(*rounds, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in rounds)
    print(f"gevent.spawn {spawned:6.1f} µs   go {went:6.1f} µs")
    print(f"go / gevent.spawn {ratio:.2f} (goal: at most {GOAL})")


def _micros(start: Callable[..., Any]) -> float:
    """CPU microseconds for one task."""
    began = time.process_time()
    for _ in range(BATCHES):
        gevent.joinall([start(_nothing) for _ in range(BATCH)])
    return (time.process_time() - began) / (BATCHES * BATCH) * 1e6


def _nothing() -> None: ...


if __name__ == "__main__":
    main()
