"""The cyclic garbage collector of a worker, told what a server knows and it cannot guess.

As CPython sets it, it looks after every 700 containers that were made and not yet given back. A few
dozen requests in flight hold more than that, so it looks all the time, finds them alive, promotes
them, and then scans the whole application for what it promoted. Here it is told two things: what
was loaded before the first request is there to stay (``gc.freeze``), and what requests hold at any
moment is no reason to look.

Cyclic garbage is still found, in lots of :data:`THRESHOLD` containers.
"""

from __future__ import annotations

import gc

# Containers that may be made, and not given back, between two looks. Guessed, between two measured
# figures: a request to a small Flask application holds 45 while it waits, so 200 of them are no
# reason to look; and a look at 10,000 takes 0.25 ms, which nobody notices.
THRESHOLD = 10_000

# What CPython starts with: 3.11 and 3.12, 3.13, 3.14.
_INITIAL = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))


def settle() -> None:
    """Take what is loaded out of the collector's sight, once, when all of it is there.

    Does nothing where the application has settings of its own.
    """
    threshold = gc.get_threshold()
    if not gc.isenabled() or gc.get_freeze_count() or threshold not in _INITIAL:
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD, *threshold[1:])
