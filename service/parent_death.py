"""The parent-death signal: a child process ends when the process that started it does."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def signal_on_parent_death(number: signal.Signals) -> None:
    """Have the kernel send this process ``number`` when the process that started it ends.

    Called between fork and exec, as ``Popen(preexec_fn=...)`` does; it holds through the exec.
    So not even SIGKILL of the parent leaves a child behind. Only Linux has this (prctl(2),
    PR_SET_PDEATHSIG); elsewhere nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
