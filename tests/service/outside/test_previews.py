"""Link previews: messages first, previews when they come, failures as facts."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from gevent.event import Event

from colorless.tasks import TaskGroup, go
from service.chat.job_lease import LEASE
from service.chat.previews import PreviewJobs
from tests.tools.chat import Caller, chat_of, done
from tests.tools.postgres import holding
from tests.tools.sites import Asked, Site, page
from tests.tools.work import ask, pass_time, work_off

PAGE = page(b'<title>News</title><meta property="og:image" content="/i.png">')


def kinds(app: Flask, room: str) -> list[str]:
    """The events of the room that are about previews, and how far its log has come."""
    number = int(room.rpartition("/")[2])
    rows = ask(app, "SELECT kind FROM events WHERE room_id = %s ORDER BY seq", number)
    return [kind for (kind,) in rows]


def states(app: Flask) -> list[tuple[Any, ...]]:
    return ask(app, "SELECT url, state, failure FROM previews ORDER BY room_id, seq, position")


def test_a_preview_follows_its_message(
    app: Flask, ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """The message is stored and told at once; what the link leads to comes as an event."""
    there.answers["/news"] = PAGE
    room = ada.makes_room()
    sent = ada.sends(room, f"look: {there.url}/news.")
    assert (sent["previews"], there.asked) == ([], [])
    assert work_off(previews) == 1
    shown = {
        "url": f"{there.url}/news",
        "title": "News",
        "description": None,
        "image_url": f"{there.url}/i.png",
        "site_name": None,
    }
    assert done(ada.get(f"{room}/messages/1"), 200) == sent | {"previews": [shown]}
    assert ada.reads(room)["messages"] == [sent | {"previews": [shown]}]
    assert kinds(app, room) == ["member.joined", "message.created", "preview.ready"]
    assert done(ada.get(room), 200)["last_event"] == 3


def test_the_event_is_announced_after_the_commit(app: Flask, ada: Caller, there: Site) -> None:
    """Who is told of the event finds it, and the preview with it."""
    there.answers["/"] = PAGE
    room = ada.makes_room()
    ada.sends(room, f"{there.url}/")
    seen = []

    def announce(room_id: int, seq: int) -> None:
        query = "SELECT kind FROM events WHERE room_id = %s AND seq = %s"
        seen.append((ask(app, query, room_id, seq), states(app)[0][1]))

    work_off(PreviewJobs(replace(chat_of(app), announce=announce)))
    assert seen == [([("preview.ready",)], "ready")]


def test_several_previews_stand_in_the_order_of_the_links(
    ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """Whichever comes first; and each link has one."""
    for name in "abc":
        there.answers[f"/{name}"] = page(f"<title>{name}</title>".encode())
    room = ada.makes_room()
    ada.sends(room, " ".join(f"{there.url}/{name}" for name in "cabc"))
    assert work_off(previews) == 3
    (message,) = ada.reads(room)["messages"]
    assert [preview["title"] for preview in message["previews"]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "answer, why",
    [
        (page(b"", status="404 Not Found"), "the site answered 404"),
        (page(b"", status="500 Oops"), "the site answered 500"),
        (page(b"PNG", "Content-Type: image/png"), "no HTML page, but image/png"),
        (page(b"<p>"), "the page has no title"),
        (b"", "the connection broke before the answer was whole"),
    ],
)
def test_a_preview_that_fails_is_a_stored_fact(
    app: Flask, ada: Caller, there: Site, previews: PreviewJobs, answer: bytes, why: str
) -> None:
    """It says why, nobody is told of it, and it is not tried again."""
    there.answers["/"] = answer
    room = ada.makes_room()
    sent = ada.sends(room, f"{there.url}/")
    assert work_off(previews) == 1
    assert states(app) == [(f"{there.url}/", "failed", why)]
    pass_time(app, "previews", 10 * LEASE)
    assert work_off(previews) == 0
    assert ada.reads(room)["messages"] == [sent]
    assert kinds(app, room) == ["member.joined", "message.created"]


def test_private_places_are_not_looked_at(app: Flask, ada: Caller, previews: PreviewJobs) -> None:
    """A link to the inside is a failure like another, and says nothing of what is there."""
    ada.sends(
        ada.makes_room(), "http://169.254.169.254/latest http://localhost/ http://10.0.0.1:22/"
    )
    assert work_off(previews) == 3
    assert [(state, why) for _, state, why in states(app)] == [
        ("failed", "169.254.169.254 is not a public address"),
        ("failed", "localhost has no public address"),
        ("failed", "port 22 is not called, only 80 and 443"),
    ]


def test_browsers_are_not_sent_to_private_images(
    ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """An image at a private address would be a request from inside every reader's network."""
    there.answers["/"] = page(
        b"<title>t</title><meta property=og:image content=http://192.168.1.1/>"
    )
    room = ada.makes_room()
    ada.sends(room, f"{there.url}/")
    work_off(previews)
    (preview,) = ada.reads(room)["messages"][0]["previews"]
    assert (preview["title"], preview["image_url"]) == ("t", None)


def test_an_edited_message_has_previews_of_its_new_links(
    ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """What stays is not fetched again, what is new is, what went is gone."""
    for name in "abc":
        there.answers[f"/{name}"] = page(f"<title>{name}</title>".encode())
    room = ada.makes_room()
    ada.sends(room, f"{there.url}/a {there.url}/b")
    work_off(previews)
    edited = done(ada.patch(f"{room}/messages/1", {"body": f"{there.url}/c {there.url}/a"}), 200)
    assert [preview["title"] for preview in edited["previews"]] == ["a"]
    assert work_off(previews) == 1
    (message,) = ada.reads(room)["messages"]
    assert [preview["title"] for preview in message["previews"]] == ["c", "a"]
    assert there.paths() == ["/a", "/b", "/c"]


def test_a_deleted_message_loses_its_previews(
    app: Flask, ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """Those that are there, and those that wait."""
    there.answers["/"] = PAGE
    room = ada.makes_room()
    ada.sends(room, f"{there.url}/")
    work_off(previews)
    ada.sends(room, f"{there.url}/")
    for number in (1, 2):
        done(ada.delete(f"{room}/messages/{number}"), 204)
    assert [message["previews"] for message in ada.reads(room)["messages"]] == [[], []]
    assert (states(app), work_off(previews)) == ([], 0)


@pytest.mark.parametrize("what", ["message", "room", "link"])
def test_what_goes_while_its_preview_is_fetched_gets_none(
    app: Flask, ada: Caller, there: Site, previews: PreviewJobs, what: str
) -> None:
    """A preview that comes too late changes nothing and tells nobody."""
    room = ada.makes_room()

    def vanish(sock: Any, asked: Asked) -> None:
        if what == "message":
            done(ada.delete(f"{room}/messages/1"), 204)
        elif what == "room":
            done(ada.delete(room), 204)
        else:
            done(ada.patch(f"{room}/messages/1", {"body": "no link"}), 200)
        sock.sendall(PAGE)

    there.answers["/"] = vanish
    ada.sends(room, f"{there.url}/")
    assert work_off(previews) == 1
    assert states(app) == []
    assert "preview.ready" not in kinds(app, room)


def test_a_retried_send_waits_for_one_preview(
    ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """The same message sent twice is fetched for once."""
    there.answers["/"] = PAGE
    room = ada.makes_room()
    new = {"client_id": "1", "body": f"{there.url}/"}
    done(ada.post(f"{room}/messages", new), 201)
    done(ada.post(f"{room}/messages", new), 200)
    assert work_off(previews) == 1
    again = done(ada.post(f"{room}/messages", new), 200)
    assert [preview["title"] for preview in again["previews"]] == ["News"]


def test_a_slow_site_keeps_neither_others_nor_the_database_waiting(
    app: Flask, ada: Caller, there: Site, previews: PreviewJobs
) -> None:
    """Two calls to it are under way, no third is begun, and another site's turn comes; none of
    the calls holds a connection."""
    held: list[int] = []
    full, go_on = Event(), Event()

    def hold(sock: Any, asked: Asked) -> None:
        held.append(chat_of(app).db.stats()["in_use"])
        if len(held) == 2:
            full.set()
        go_on.wait()
        sock.sendall(PAGE)

    there.answers |= {"/slow1": hold, "/slow2": hold, "/slow3": PAGE, "/other": PAGE}
    slow = " ".join(f"{there.url}/slow{number}" for number in (1, 2, 3))
    other = f"http://localhost:{there.port}/other"
    ada.sends(ada.makes_room(), f"{slow} {other}")
    # Both are taken before one runs: to take one holds a connection.
    first, second = previews.take(), previews.take()
    assert first is not None
    assert second is not None
    with TaskGroup() as group:
        group.go(first)
        group.go(second)
        assert full.wait(20)
        assert work_off(previews) == 1
        go_on.set()
    assert (there.paths()[2:], held) == (["/other"], [0, 0])
    assert work_off(previews) == 1


class TestTakeover:
    """Two processes, each with a pool of its own, share the work."""

    def test_each_piece_is_done_once(
        self, app: Flask, other_app: Flask, ada: Caller, there: Site
    ) -> None:
        """However the two of them take turns, no page is fetched twice."""
        there.answers |= {f"/{number}": PAGE for number in range(20)}
        room = ada.makes_room()
        for number in range(20):
            ada.sends(room, f"{there.url}/{number}")
        with TaskGroup() as group:
            done_by = [group.go(work_off, PreviewJobs(chat_of(one))) for one in (app, other_app)]
        assert sum(task.get() for task in done_by) == 20
        assert sorted(there.paths()) == sorted(f"/{number}" for number in range(20))
        assert kinds(app, room).count("preview.ready") == 20

    def test_nobody_waits_for_one_who_is_taking(
        self, app: Flask, ada: Caller, there: Site, migrated_url: str, previews: PreviewJobs
    ) -> None:
        """A row that another transaction is just taking is passed over."""
        there.answers |= {"/1": PAGE, "/2": PAGE}
        ada.sends(ada.makes_room(), f"{there.url}/1 {there.url}/2")
        taking = "SELECT id FROM previews WHERE url = %s FOR UPDATE"
        with holding(migrated_url, taking, f"{there.url}/1"):
            assert work_off(previews) == 1
        assert there.paths() == ["/2"]

    def test_the_work_of_a_dead_worker_is_taken_over(
        self, app: Flask, other_app: Flask, ada: Caller, there: Site
    ) -> None:
        """When its lease has ended; and should it live after all, it changes nothing."""
        there.answers["/"] = PAGE
        room = ada.makes_room()
        ada.sends(room, f"{there.url}/")
        late = PreviewJobs(chat_of(app)).take()
        assert late is not None
        assert work_off(PreviewJobs(chat_of(other_app))) == 0
        pass_time(app, "previews", LEASE)
        second = PreviewJobs(chat_of(other_app)).take()
        assert second is not None
        for title, work in (("Late", late), ("Second", second), ("Later still", late)):
            there.answers["/"] = page(f"<title>{title}</title>".encode())
            work()
        (message,) = ada.reads(room)["messages"]
        assert [preview["title"] for preview in message["previews"]] == ["Second"]
        assert kinds(app, room).count("preview.ready") == 1

    def test_a_page_that_ends_its_workers_is_given_up(
        self, app: Flask, ada: Caller, there: Site, previews: PreviewJobs
    ) -> None:
        """The third worker that dies of it is the last."""
        ada.sends(ada.makes_room(), f"{there.url}/")
        for _ in range(3):
            assert previews.take() is not None
            pass_time(app, "previews", LEASE)
        assert work_off(previews) == 1
        assert (states(app)[0][1], there.asked) == ("failed", [])
        assert "3 workers" in states(app)[0][2]

    def test_a_worker_that_is_told_to_end_gives_its_work_back(
        self, app: Flask, other_app: Flask, ada: Caller, there: Site, previews: PreviewJobs
    ) -> None:
        """At once, and without counting as dead of it."""
        reached = Event()

        def hold(sock: Any, asked: Asked) -> None:
            reached.set()
            sock.recv(1)  # the client goes

        there.answers["/"] = hold
        ada.sends(ada.makes_room(), f"{there.url}/")
        work = previews.take()
        assert work is not None
        task = go(work)
        assert reached.wait(20)
        task.kill()
        assert ask(app, "SELECT taken FROM previews") == [(0,)]
        there.answers["/"] = PAGE
        assert work_off(PreviewJobs(chat_of(other_app))) == 1
