"""Writers and watchers that go on whatever happens to the service, and record what they saw."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gevent
import requests
from websockets.exceptions import WebSocketException

from service.chat.live.positions import text
from tests.tools.history import History, Sent, Watch, violations
from tests.tools.people import EventReader, Person, Socket, Town

# What a client meets when a server is killed, stopped, restarted or overloaded.
_FAILURES = (requests.RequestException, WebSocketException, OSError, EOFError)
_PAUSE = 0.1


class Watcher:
    """A client that follows its rooms for ever: reconnects to any server, and resumes."""

    def __init__(self, person: Person, urls: Sequence[str], kind: str) -> None:
        self.person = person
        self.watch = Watch(person.id)
        self.position: dict[int, int] = {}
        self.connections = 0
        self._open = {"ws": self._websocket, "sse": self._events}[kind]
        self._urls = itertools.cycle(random.sample(urls, len(urls)))

    def run(self) -> None:
        while True:
            try:
                for event in self._open(replace(self.person, url=next(self._urls))):
                    self._record(event)
            except _FAILURES:
                pass
            gevent.sleep(_PAUSE)

    def _websocket(self, person: Person) -> Iterator[Any]:
        with person.websocket(resume=text(self.position), open_timeout=3) as stream:
            self.connections += 1
            while True:
                yield self._next(stream)

    def _next(self, stream: Socket) -> Any:
        """The next event. A server that is stopped does not close: so the client asks whether it
        is there, as the documentation tells a page to."""
        try:
            return stream.next(2.0)
        except TimeoutError:
            stream.say({"type": "ping"})
            return stream.next(2.0)

    def _events(self, person: Person) -> Iterator[Any]:
        with person.events(text(self.position)) as stream:
            if stream.answer.status_code != 200:
                raise ConnectionError(stream.answer.status_code)
            self.connections += 1
            while True:
                yield self._next_block(stream)

    def _next_block(self, stream: EventReader) -> Any:
        with gevent.Timeout(6, TimeoutError()):
            return stream.next()

    def _record(self, event: dict[str, Any]) -> None:
        self.watch.events.append(event)
        if event["type"] == "ready":
            self.position |= {int(room): seq for room, seq in event["positions"].items()}
        elif "at" in event:
            self.position[event["room_id"]] = event["seq"]
        elif event["type"] in ("added", "gap"):
            self.position[event["room_id"]] = event["position"]


class Writer:
    """A client that sends, and sends again until it is acknowledged."""

    def __init__(self, person: Person, urls: Sequence[str], rooms: Sequence[int]) -> None:
        self._person = person
        self._urls = itertools.cycle(urls)
        self._rooms = rooms
        self.sent: list[Sent] = []
        self.retries = 0
        self.stopping = False

    def run(self) -> None:
        for room_id in itertools.cycle(self._rooms):
            if self.stopping:
                return
            client_id = uuid.uuid4().hex
            self.sent.append(self._until_acknowledged(room_id, client_id))
            gevent.sleep(0.005)

    def _until_acknowledged(self, room_id: int, client_id: str) -> Sent:
        new = {"client_id": client_id, "body": f"about {client_id}"}
        while True:
            url = f"{next(self._urls)}/v1/rooms/{room_id}/messages"
            try:
                answer = requests.post(url, json=new, headers=self._person.authorization, timeout=3)
                if answer.ok:
                    message = json.loads(answer.content)
                    return Sent(room_id, client_id, message["seq"], message["body"])
            except requests.RequestException:
                pass
            self.retries += 1
            gevent.sleep(_PAUSE)


class Marker:
    """A client that says how far it has read, now further and now less far."""

    def __init__(self, person: Person, urls: Sequence[str], room_id: int) -> None:
        self._person = person
        self._urls = itertools.cycle(urls)
        self._room_id = room_id
        self.answers: list[int] = []

    def run(self) -> None:
        while True:
            url = f"{next(self._urls)}/v1/rooms/{self._room_id}/read"
            mark = {"seq": random.randrange(200)}
            with suppress(requests.RequestException):
                answer = requests.put(url, json=mark, headers=self._person.authorization, timeout=3)
                if answer.ok:
                    self.answers.append(json.loads(answer.content)["read_seq"])
            gevent.sleep(_PAUSE)


class Storm:
    """Some people writing into two rooms and watching them over both kinds of stream; the last
    one is removed from the second room while the others write."""

    def __init__(self, town: Town, urls: Sequence[str], watchers: int = 4) -> None:
        self._urls = urls
        people = [town.person(urls[0]) for _ in range(watchers)]
        self.rooms = [people[0].makes_room(*people[1:]) for _ in range(2)]
        self._reader = people[0]
        self._removed = people[-1]
        kinds = itertools.cycle(("ws", "sse"))
        self.watchers = [Watcher(person, urls, next(kinds)) for person in people]
        self.writers = [Writer(person, urls, self.rooms) for person in people[:2]]
        self.marker = Marker(people[2], urls, self.rooms[0])
        self._tasks: list[gevent.Greenlet] = []

    def run(self, fault: Callable[[], None], before: float = 1.0, after: float = 3.0) -> History:
        """Write, let ``fault`` happen in the middle of it, write on; then let everything settle,
        and return what happened."""
        self._tasks = [gevent.spawn(watcher.run) for watcher in self.watchers]
        self._tasks.append(gevent.spawn(self.marker.run))
        try:
            self._wait(lambda: all(watcher.watch.events for watcher in self.watchers))
            writing = [gevent.spawn(writer.run) for writer in self.writers]
            gevent.sleep(before)
            fault()
            self._remove_one()
            gevent.sleep(after)
            for writer in self.writers:
                writer.stopping = True
            gevent.joinall(writing, timeout=20, raise_error=True)
            assert all(task.ready() for task in writing), "a writer was never acknowledged"
            ends = {room: self._ask(f"/rooms/{room}")["last_event"] for room in self.rooms}
            *stayed, removed = self.watchers
            self._wait(lambda: all(w.position.items() >= ends.items() for w in stayed))
            self._wait(lambda: removed.position[self.rooms[0]] == ends[self.rooms[0]])
            removed.watch.removed_at[self.rooms[1]] = self._left_at(stayed[0])
        finally:
            gevent.killall(self._tasks)
        return History(
            sent=[sent for writer in self.writers for sent in writer.sent],
            watches=[watcher.watch for watcher in self.watchers],
            stored={room: list(self._messages(room)) for room in self.rooms},
            marks={(0, self.rooms[0]): self.marker.answers},
        )

    def check(self, history: History, least: int = 20) -> None:
        """Nothing is wrong with it, and it is about something."""
        assert violations(history) == []
        assert len(history.sent) >= least

    def _wait(self, happened: Callable[[], bool]) -> None:
        with gevent.Timeout(25, AssertionError(f"not there yet: {self._where()}")):
            while not happened():
                gevent.sleep(0.02)

    def _where(self) -> list[Any]:
        return [(w.position, w.connections, len(w.watch.events)) for w in self.watchers]

    def _remove_one(self) -> None:
        path = f"/rooms/{self.rooms[1]}/members/{self._removed.id}"
        for url in itertools.islice(itertools.cycle(self._urls), 100):
            owner = replace(self._reader, url=url, session=requests.Session())
            with suppress(requests.RequestException):
                if owner.call("DELETE", path).status_code in (204, 404):
                    return
            gevent.sleep(_PAUSE)
        raise AssertionError(f"{path} cannot be deleted")

    def _left_at(self, watcher: Watcher) -> int:
        """Where in the room's log the removal is, as somebody else saw it."""
        (seq,) = [
            event["seq"]
            for event in watcher.watch.events
            if event["type"] == "member.left" and event["user"]["id"] == self._removed.id
        ]
        return int(seq)

    def _messages(self, room_id: int) -> Iterator[Any]:
        after = 0
        while page := self._ask(f"/rooms/{room_id}/messages?after={after}&limit=100")["messages"]:
            yield from page
            after = page[-1]["seq"]

    def _ask(self, path: str) -> Any:
        for url in itertools.islice(itertools.cycle(self._urls), 40):
            try:
                return replace(self._reader, url=url, session=requests.Session()).must("GET", path)
            except (*_FAILURES, AssertionError):
                gevent.sleep(_PAUSE)
        raise AssertionError(f"{path} is not answered any more")
