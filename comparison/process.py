"""One running contender: started on its core, ready when it answers, stopped with its children."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from comparison.accounting import Usage, memory, usage
from comparison.backends import Backends, free_ports, wait_until
from comparison.paths import QUERIES
from comparison.roster import Contender


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
        """The CPU that the contender has used, with its children."""
        return usage(self.process.pid)

    def memory(self) -> float:
        """MiB that the contender and its children hold in memory now."""
        return memory(self.process.pid)


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
