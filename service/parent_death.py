"""Child processes that do not outlive the one that started them."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process ``number`` when the process that started it ends.

    Called between fork and exec, as ``Popen(preexec_fn=...)`` does; it holds through the exec.
    Even SIGKILL of the parent leaves no child behind then. Only Linux can; elsewhere, nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
