"""How many CPUs this process may use: what a container's quota allows, not what the host has."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """The CPUs of the scheduling affinity, or fewer where a cgroup sets a quota; at least 1.

    A quota is rounded down: with 1.5 CPUs, two busy workers would be throttled in turn. After
    Go's reading of the limit (since 1.25) and Java's before it.
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def _quota(cgroup: Path) -> float | None:
    """The CPUs that the cgroup's quota is worth, in version 2's file or in version 1's two."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    if limit == "max" or int(limit) <= 0:
        return None
    return int(limit) / int(period)
