"""The open-loop generator, against the stub server it also is."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comparison.backends import free_ports, listens, nats_command, wait_until
from comparison.contract import Exchange
from comparison.loads import Generators, write_requests
from comparison.paths import LOADER

SERVICE_MS = 200


@pytest.fixture
def stub(tools: None, tmp_path: Path) -> Iterator[str]:
    """A server that takes as long for a page as its path says."""
    [port] = free_ports(1)
    log = tmp_path / "log"
    [nats] = free_ports(1)
    broker = subprocess.Popen(nats_command(nats))
    wait_until("nats-server", lambda: listens(nats), log)
    command = [str(LOADER), "stub", "-listen", f"127.0.0.1:{port}", "-nats", f"127.0.0.1:{nats}"]
    process = subprocess.Popen(command)
    wait_until("the stub", lambda: listens(port), log)
    yield f"127.0.0.1:{port}"
    for one in (process, broker):
        one.kill()
        one.wait()


def _open(address: str, folder: Path, needle: str, status: int = 200) -> dict[str, Any]:
    def page(number: int) -> Exchange:
        return Exchange(f"/page/{number}/{SERVICE_MS}", "<html", status=status, needle=needle)

    requests = write_requests(folder / "requests", page)
    # Ten requests fall due within 0.1 s on one connection that needs 0.2 s for each.
    return Generators({0, 1}).open(address, requests, rate=100, seconds=0.1, connections=1)


def test_latency_counts_from_when_a_request_was_due(stub: str, tmp_path: Path) -> None:
    """A server that falls behind is charged for the queue: no coordinated omission."""
    seen = _open(stub, tmp_path, "<title>page")
    assert (seen["due"], seen["done"], seen["errors"]) == (10, 10, {})
    # The last of ten was due after 0.09 s and cannot be answered before 10 x 0.2 s.
    assert seen["latency"]["max"] >= 10 * SERVICE_MS - 90


def test_wrong_answers_are_counted(stub: str, tmp_path: Path) -> None:
    """An answer without its needle, or with another status, is an error and not a success."""
    assert _open(stub, tmp_path, "<title>no such")["errors"] == {"answer": 10}
    assert _open(stub, tmp_path, "<title>page", status=201)["errors"] == {"status": 10}


def test_a_server_that_is_not_there_is_an_error(tools: None, tmp_path: Path) -> None:
    """Refused connections are counted; the generator does not stop."""
    [port] = free_ports(1)
    seen = _open(f"127.0.0.1:{port}", tmp_path, "")
    assert json.dumps(seen["errors"]) == '{"connection": 10}'
