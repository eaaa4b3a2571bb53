"""One running contender: started pinned, watched through /proc, stopped with its children."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from comparison.backends import Backends, free_ports, wait_until
from comparison.paths import QUERIES
from comparison.roster import Contender

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """CPU seconds that a process tree has used so far, and the memory it holds now."""

    cpu: float
    rss_mib: float
    at: float


class Server:
    """A contender that listens on a port of 127.0.0.1."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def usage(self) -> Usage:
        """What the contender has used, with its children."""
        return usage_of(self.process.pid)


def usage_of(root: int) -> Usage:
    """From the kernel's own accounting, which noise from neighbours touches least."""
    ticks = pages = 0
    for pid in _tree(root):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, and the same of children already waited for.
        ticks += sum(int(stat[field]) for field in (11, 12, 13, 14))
        pages += int(stat[21])
    return Usage(ticks / TICK, pages * PAGE / 2**20, time.monotonic())


class Neighbours:
    """How many cores were busy with something else than the lab and all it started."""

    def __init__(self) -> None:
        self._lab = usage_of(os.getpid())
        self._machine = _busy_ticks()

    def cores(self) -> float:
        """The average since this object was made."""
        lab = usage_of(os.getpid())
        seconds = (_busy_ticks() - self._machine) / TICK - (lab.cpu - self._lab.cpu)
        return max(0.0, seconds / (lab.at - self._lab.at))


def _busy_ticks() -> int:
    """Of all cores: everything but idle and waiting for a disk, time stolen by the host too."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return sum(int(ticks) for place, ticks in enumerate(fields) if place not in (3, 4))


@contextmanager
def serving(
    contender: Contender, backends: Backends, environment: dict[str, str], cpus: set[int]
) -> Iterator[Server]:
    """Start a contender on its core and stop it afterwards.

    Raises RuntimeError, with the end of the contender's log, when it does not listen in time.
    """
    [port] = free_ports(1)
    log = backends.folder / f"{contender.name}.log"
    settings = {
        **os.environ,
        **backends.environment,
        **environment,
        "PORT": str(port),
        "LAB_QUERIES": str(QUERIES),
        "PYTHONUNBUFFERED": "1",
    }
    with open(log, "ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, sorted(cpus))), "sh", "start.sh"],
            cwd=contender.folder,
            env=settings,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        # A gunicorn master listens before its worker can answer.
        wait_until(contender.name, lambda: answers(port) or process.poll() is not None, log)
        if process.poll() is not None:
            raise RuntimeError(f"{contender.name} ended at once: {log.read_text()[-2000:]}")
        yield Server(process, port)
    finally:
        _stop(process)


def answers(port: int, patience: float = 1) -> bool:
    """Whether /livez answers in time."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=patience).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, then insist: a graceful stop may wait for open streams."""
    for sign, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(10)


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
