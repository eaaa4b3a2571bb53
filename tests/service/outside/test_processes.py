"""The whole service in processes of its own, that are ended while they call another site."""

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import requests
from gevent.event import Event

from service.chat.job_lease import LEASE
from tests.tools.server import Server, running
from tests.tools.sites import Asked, Site, page
from tests.tools.work import until

CONFIGURATION = str(Path(__file__).parents[3] / "gunicorn.conf.py")


class OutsideClient:
    """Somebody who calls the API over HTTP."""

    def __init__(self, server: Server, name: str) -> None:
        self.url = server.url + "/v1"
        self.call("POST", "/users", {"name": name, "password": "long enough", "display_name": name})
        session = self.call("POST", "/sessions", {"name": name, "password": "long enough"})
        self.headers = {"Authorization": f"Bearer {session['token']}"}

    headers: dict[str, str] | None = None

    def call(self, method: str, path: str, sent: Any = None) -> Any:
        answer = requests.request(
            method, self.url + path, json=sent, headers=self.headers, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json()

    def sends_a_link(self, there: Site) -> int:
        """A message with a link, in a new room; the room's id."""
        room: int = self.call("POST", "/rooms", {"name": "room"})["id"]
        sent = {"client_id": "1", "body": f"{there.url}/"}
        assert self.call("POST", f"/rooms/{room}/messages", sent)["previews"] == []
        return room

    def previews(self, room: int) -> Any:
        return self.call("GET", f"/rooms/{room}/messages/1")["previews"]


def holding(reached: Event) -> Any:
    """An answer that never comes: it says that it was asked for, and waits for the client to go."""

    def hold(sock: Any, asked: Asked) -> None:
        reached.set()
        sock.recv(1)

    return hold


def end_leases(url: str) -> None:
    """Let the time pass that work is lent for."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE previews SET due_at = due_at - make_interval(secs => %s)", (LEASE,))


def serving(url: str, there: Site) -> Any:
    environment = {
        "DATABASE_URL": url,
        "OUTSIDE_ALLOW": there.allowed,
        "PORT": "0",
        "WORKERS": "1",
        "GRACEFUL_TIMEOUT": "5",
    }
    return running(["gunicorn", "--config", CONFIGURATION], env=environment)


def test_a_preview_survives_a_restart_in_the_middle_of_it(migrated_url: str, there: Site) -> None:
    """The worker that is told to end gives the work back, and the next one does it."""
    reached = Event()
    there.answers["/"] = holding(reached)
    with serving(migrated_url, there) as server:
        ada = OutsideClient(server, "restart")
        room = ada.sends_a_link(there)
        assert reached.wait(20)
        assert server.stop(signal.SIGTERM) == 0
    there.answers["/"] = page(b"<title>After all</title>")
    with serving(migrated_url, there) as server:
        ada.url = server.url + "/v1"
        until(lambda: ada.previews(room))
        assert [preview["title"] for preview in ada.previews(room)] == ["After all"]


def test_a_preview_survives_a_worker_that_is_killed(migrated_url: str, there: Site) -> None:
    """When its lease has ended, the worker that replaces it does the work."""
    reached = Event()
    there.answers["/"] = holding(reached)
    with serving(migrated_url, there) as server:
        ada = OutsideClient(server, "killed")
        room = ada.sends_a_link(there)
        assert reached.wait(20)
        os.kill(int(server.wait_for(r"Booting worker with pid: (\d+)")[1]), signal.SIGKILL)
        there.answers["/"] = page(b"<title>After all</title>")
        server.wait_for(r"(?s)Booting worker.*Booting worker")
        assert ada.previews(room) == []
        end_leases(migrated_url)
        until(lambda: ada.previews(room))
        assert [preview["title"] for preview in ada.previews(room)] == ["After all"]
