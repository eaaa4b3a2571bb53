"""What the numbers were measured on, and who gets which core."""

import os
import platform
import resource
import subprocess
from pathlib import Path

from comparison.paths import REPOSITORY


def split_cpus() -> tuple[set[int], set[int]]:
    """One core for the contender; for everything else, as many of the others as three.

    Raises RuntimeError on a machine with a single core: the generator would compete with what it
    measures.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("the lab needs two cores: one for a contender, one for its load")
    return {cores[0]}, set(cores[1:4])


def prepare(load: set[int]) -> None:
    """Keep the lab and the generators off the contender's core, and let them hold many sockets.

    Ten thousand streams are as many descriptors at either end; children inherit the limit.
    """
    os.sched_setaffinity(0, load)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def describe(server: set[int], load: set[int]) -> dict[str, str]:
    """Hardware, who has which of it, and versions, for the report."""
    info = Path("/proc/cpuinfo").read_text()
    models = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": f"{os.cpu_count()}; {len(server)} for the contender, {len(load)} for the rest",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load average before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
