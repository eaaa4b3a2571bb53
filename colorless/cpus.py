"""How many CPUs this process may use: what a container's quota allows, not what the host has."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_CGROUPS = Path("/sys/fs/cgroup")
_MINE = Path("/proc/self/cgroup")


def available_cpus(cgroups: Path = _CGROUPS, mine: Path = _MINE) -> int:
    """The CPUs of the scheduling affinity, or fewer where a cgroup sets a quota; at least 1.

    A quota is rounded down: with 1.5 CPUs, two busy workers would be throttled in turn. (Go, which
    reads the same files since 1.25, rounds up, for its threads share what they have.)
    """
    allowed = len(_affinity())
    quotas = list(_quotas(cgroups, mine))
    return max(1, min(allowed, *map(math.floor, quotas))) if quotas else allowed


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _quotas(cgroups: Path, mine: Path) -> Iterator[float]:
    """The CPUs that each quota is worth, of this process's cgroup and of those above it."""
    try:
        lines = mine.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, read = cgroups, _version_2
        elif "cpu" in controllers.split(","):
            root, read = cgroups / "cpu", _version_1
        else:
            continue
        # In a container the path may be the host's, which is not there to see; its top is.
        inside = PurePosixPath(path.lstrip("/"))
        for folder in (inside, *inside.parents):
            quota = read(root / folder)
            if quota is not None:
                yield quota


def _version_2(folder: Path) -> float | None:
    """``cpu.max``: how many microseconds of each period, or ``max``."""
    try:
        limit, period = (folder / "cpu.max").read_text().split()
    except OSError:
        return None
    return None if limit == "max" else int(limit) / int(period)


def _version_1(folder: Path) -> float | None:
    """The same in two files, with -1 for no limit."""
    try:
        limit = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
    except OSError:
        return None
    return limit / period if limit > 0 else None
