"""Count forks, so that a pool notices one without a system call at every checkout."""

import os

count = 0  # forks between the process that imported this module and the current one


def _count_fork() -> None:
    global count
    count += 1


os.register_at_fork(after_in_child=_count_fork)
