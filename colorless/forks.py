"""Which process this is, told without asking the system for its number at every checkout."""

import os

count = 0  # forks that lie between the process that imported this module and the one that runs it


def _count_fork() -> None:
    global count
    count += 1


os.register_at_fork(after_in_child=_count_fork)
