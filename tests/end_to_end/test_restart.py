"""PostgreSQL goes away and comes back while people post: nothing acknowledged is lost or twice."""

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import gevent
import psycopg2
import pytest
import requests
from gevent.event import Event

from service.db.embedded import DEFAULTS, EmbeddedPostgres
from tests.end_to_end.serving import serving
from tests.tools.folders import folder_for_postgres
from tests.tools.walk import walk

CLIENTS = 8
# Each is seen to be acknowledged before the next thing happens, so that every phase has posts.
POSTS_BETWEEN = 20


class Poster:
    """Posts one message after the other, each until it is acknowledged, as a good client does."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self.acknowledged: dict[str, int] = {}
        self.refused: Counter[str] = Counter()

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            self._post({"client_id": uuid.uuid4().hex, "body": "hello"})

    def _post(self, message: dict[str, str]) -> None:
        """Send it again, with the same client_id, for as long as the answer is in doubt."""
        while True:
            try:
                answer = self._session.post(self._url, json=message, timeout=30)
            except requests.ConnectionError:
                self.refused["connection lost"] += 1
                continue
            if answer.status_code in (200, 201):
                self.acknowledged[message["client_id"]] = answer.json()["seq"]
                return
            assert answer.status_code == 503, answer.text
            self.refused["unavailable"] += 1
            gevent.sleep(0.05)


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server that keeps what it acknowledges, whatever happens: with fsync, as in earnest."""
    with folder_for_postgres() as folder:
        server = EmbeddedPostgres(folder / "data", DEFAULTS)
        server.start()
        yield server
        server.stop()


def wait_for_progress(posters: list[Poster]) -> None:
    """Return after some more posts of each client have been acknowledged; fails after a minute."""
    goals = [len(poster.acknowledged) + POSTS_BETWEEN for poster in posters]
    with gevent.Timeout(60, AssertionError("no progress")):
        while any(len(p.acknowledged) < goal for p, goal in zip(posters, goals, strict=True)):
            gevent.sleep(0.02)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_no_acknowledged_message_is_lost_or_doubled(
    own_server: EmbeddedPostgres, mode: str, tmp_path: Path
) -> None:
    """After restarts and crashes, each acknowledged message is there, once, under its number."""
    with serving(tmp_path, DATABASE_URL=own_server.url, WRITES_PER_MINUTE="0") as service:
        visitor, room = walk(service.url)
        posters = [Poster(f"{service.url}{room}/messages", visitor.token) for _ in range(CLIENTS)]
        stop = Event()
        running = [gevent.spawn(poster.run, stop) for poster in posters]
        try:
            wait_for_progress(posters)
            for _ in range(2):
                own_server.restart(mode)
                wait_for_progress(posters)
            stop.set()
            gevent.joinall(running, timeout=60, raise_error=True)
        finally:
            gevent.killall(running)

    acknowledged = {key: seq for poster in posters for key, seq in poster.acknowledged.items()}
    stored = messages(own_server.url, room)
    assert Counter(key for key, _ in stored).most_common(1)[0][1] == 1, "a message is there twice"
    assert acknowledged.items() <= dict(stored).items(), "an acknowledged message is missing"
    seqs = sorted(seq for _, seq in stored)
    assert seqs == list(range(1, len(seqs) + 1)), "the numbering has gaps"
    assert any(poster.refused for poster in posters), "nobody noticed: nothing was shown"


def messages(url: str, room: str) -> list[tuple[str, int]]:
    """The client id and the number of every message in the room, from PostgreSQL itself."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT client_id, seq FROM messages WHERE room_id = %s", (room.split("/")[-1],)
            )
            return cursor.fetchall()
    finally:
        connection.close()
