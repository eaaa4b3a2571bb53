"""What processes have used, from the kernel's own accounting in /proc.

It counts the time a process was given, so a busy neighbour makes a request slower but hardly
dearer: of all the lab's figures these are touched least by noise.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU seconds that a process tree had used at a moment of time.monotonic()."""

    cpu: float
    at: float


def usage(root: int) -> Usage:
    """Of a process and its descendants, those included that have ended and were waited for."""
    ticks = 0
    for pid in _tree(root):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, and the same of children already waited for.
        ticks += sum(int(stat[field]) for field in (11, 12, 13, 14))
    return Usage(ticks / TICK, time.monotonic())


def memory(root: int) -> float:
    """MiB resident of a process and its descendants.

    A page shared by several of them counts once (PSS), or a master and its worker would pay twice
    for the same interpreter.
    """
    kib = 0
    for pid in _tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


class Neighbours:
    """How many cores were busy with something else than the lab and all it started."""

    def __init__(self) -> None:
        self._lab = usage(os.getpid())
        self._machine = _busy_ticks()

    def cores(self) -> float:
        """The average since this object was made."""
        lab = usage(os.getpid())
        seconds = (_busy_ticks() - self._machine) / TICK - (lab.cpu - self._lab.cpu)
        return max(0.0, seconds / (lab.at - self._lab.at))


def _busy_ticks() -> int:
    """Of all cores: everything but idle and waiting for a disk, time stolen by the host too."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return sum(int(ticks) for place, ticks in enumerate(fields) if place not in (3, 4))


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
