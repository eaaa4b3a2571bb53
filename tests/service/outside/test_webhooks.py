"""Webhooks: whose they are, what they are sent, and what happens when it is not taken."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from gevent.event import Event
from standardwebhooks import Webhook

from colorless.tasks import TaskGroup, go
from service.chat.job_lease import LEASE
from service.chat.retry_schedule import GIVE_UP_AFTER, LONGEST
from service.chat.store.webhooks import KEPT_IN_LOG
from service.chat.webhook_deliveries import DeliveryJobs
from tests.tools.chat import Caller, chat_of, done, refused
from tests.tools.postgres import holding
from tests.tools.sites import Asked, Site, page, redirect
from tests.tools.work import ask, pass_time, work_off

OK = page(b"", status="204 No Content")
DOWN = page(b"", status="503 Service Unavailable")


def hook(owner: Caller, room: str, there: Site, path: str = "/hook") -> Any:
    """A new webhook of the room, to a path of the site that takes all."""
    there.answers.setdefault(path, OK)
    return done(owner.post(f"{room}/webhooks", {"url": there.url + path}), 201)


def state(owner: Caller, room: str) -> Any:
    """The room's only webhook as its owner sees it."""
    (webhook,) = done(owner.get(f"{room}/webhooks"), 200)["webhooks"]
    return webhook


def log(owner: Caller, room: str, webhook: Any, **page: Any) -> Any:
    return done(owner.get(f"{room}/webhooks/{webhook['id']}/deliveries", **page), 200)


def bodies(there: Site, path: str = "/hook") -> list[Any]:
    return [json.loads(asked.content) for asked in there.asked if asked.path == path]


def test_a_receiver_verifies_what_it_is_sent(
    ada: Caller, bob: Caller, there: Site, deliveries: DeliveryJobs
) -> None:
    """The specification's own library accepts signature, id and time; the event is the streams'."""
    room = ada.makes_room(bob)
    webhook = hook(ada, room, there)
    sent = bob.sends(room, "héllo")
    assert work_off(deliveries) == 1
    (asked,) = there.asked
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    payload = Webhook(webhook["secret"]).verify(asked.content, asked.headers)
    assert payload == {
        "type": "message.created",
        "timestamp": sent["created_at"],
        "data": {
            "type": "message.created",
            "room_id": sent["room_id"],
            "seq": 3,
            "at": sent["created_at"],
            "actor": sent["author"],
            "message_seq": 1,
            "message": sent,
        },
    }


def test_every_event_of_the_room_comes_in_its_order(
    ada: Caller, bob: Caller, there: Site, deliveries: DeliveryJobs
) -> None:
    """From the making of the webhook on, with an id that is the event's own."""
    room = ada.makes_room()
    ada.sends(room, "before")
    hook(ada, room, there)
    done(ada.put(f"{room}/members/{bob.id}"), 204)
    bob.sends(room, "one")
    done(bob.patch(f"{room}/messages/2", {"body": "two"}), 200)
    done(ada.put(f"{room}/messages/2/reactions/+1"), 204)
    done(ada.delete(f"{room}/messages/2"), 204)
    done(ada.patch(room, {"topic": "new"}), 200)
    assert work_off(deliveries) == 6
    assert [(body["data"]["seq"], body["type"]) for body in bodies(there)] == [
        (3, "member.joined"),
        (4, "message.created"),
        (5, "message.edited"),
        (6, "reaction.added"),
        (7, "message.deleted"),
        (8, "room.changed"),
    ]
    ids = [asked.headers["webhook-id"] for asked in there.asked]
    assert len(set(ids)) == 6
    assert not any("." in one for one in ids)
    # It was deleted before it was delivered, so its text goes nowhere any more.
    assert bodies(there)[1]["data"]["message"]["body"] == ""


def test_only_owners_see_and_make_webhooks(
    ada: Caller, bob: Caller, nobody: Caller, there: Site
) -> None:
    """A member is told that it may not; whoever may not see the room, that there is none."""
    room, private = ada.makes_room(bob), ada.makes_private_room()
    webhook = hook(ada, room, there)
    calls: list[Callable[[Caller, str], Any]] = [
        lambda who, path: who.post(path, {"url": there.url}),
        lambda who, path: who.get(path),
        lambda who, path: who.delete(f"{path}/{webhook['id']}"),
        lambda who, path: who.get(f"{path}/{webhook['id']}/deliveries"),
    ]
    for call in calls:
        refused(call(bob, f"{room}/webhooks"), 403)
        refused(call(bob, f"{private}/webhooks"), 404)
        refused(call(nobody, f"{room}/webhooks"), 401)
    for call in calls[2:]:
        refused(call(ada, f"{private}/webhooks"), 404)  # it is another room's
    assert state(ada, room)["id"] == webhook["id"]


def test_the_secret_is_shown_once(app: Flask, ada: Caller, there: Site) -> None:
    """When the webhook is made; each has its own, of the length that the specification wants."""
    room = ada.makes_room()
    first, second = hook(ada, room, there), hook(ada, room, there)
    assert first["secret"].startswith("whsec_")
    assert first["secret"] != second["secret"]
    assert all("secret" not in each for each in done(ada.get(f"{room}/webhooks"), 200)["webhooks"])
    assert ask(app, "SELECT DISTINCT octet_length(secret) FROM webhooks") == [(32,)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "ftp://8.8.8.8/",
        "https://user:secret@8.8.8.8/",
        "https://8.8.8.8:8443/",
        "https://10.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "https://a.test/ b",
        "https://[",
        "https://a.test/" + "x" * 2000,
        5,
    ],
)
def test_a_url_that_will_never_be_called_is_refused(ada: Caller, url: Any) -> None:
    """At once, with the field that is to blame."""
    refused(ada.post(f"{ada.makes_room()}/webhooks", {"url": url}), 422, "url")


def test_a_name_is_vetted_when_it_is_called(
    ada: Caller, there: Site, deliveries: DeliveryJobs
) -> None:
    """What a name leads to may change, so it is looked at for every delivery."""
    room = ada.makes_room()
    webhook = done(ada.post(f"{room}/webhooks", {"url": "https://localhost/"}), 201)
    ada.sends(room)
    assert work_off(deliveries) == 1
    (attempt,) = log(ada, room, webhook)["deliveries"]
    assert (attempt["status"], attempt["error"]) == (None, "localhost has no public address")


def test_a_room_has_a_few_webhooks(ada: Caller, there: Site) -> None:
    """And a place is free again when one is deleted."""
    room = ada.makes_room()
    made = [hook(ada, room, there) for _ in range(10)]
    assert "at most 10" in refused(ada.post(f"{room}/webhooks", {"url": there.url}), 409)
    done(ada.delete(f"{room}/webhooks/{made[0]['id']}"), 204)
    refused(ada.delete(f"{room}/webhooks/{made[0]['id']}"), 404)
    hook(ada, room, there)


def test_a_deleted_webhook_is_sent_nothing_more(
    app: Flask, ada: Caller, there: Site, deliveries: DeliveryJobs
) -> None:
    """Not even what happened before, and its log goes with it; so it is with a deleted room."""
    rooms = [ada.makes_room() for _ in range(2)]
    for room in rooms:
        webhook = hook(ada, room, there)
        ada.sends(room)
        work_off(deliveries)
        ada.sends(room)
        done(ada.delete(room if room == rooms[0] else f"{room}/webhooks/{webhook['id']}"), 204)
    assert work_off(deliveries) == 0
    assert ask(app, "SELECT count(*) FROM deliveries") == [(0,)]


def test_a_room_without_webhooks_makes_no_work(app: Flask, ada: Caller, there: Site) -> None:
    """A webhook reads the log, so an event writes nothing for it, with webhooks or without."""
    room, other = ada.makes_room(), ada.makes_room()
    hook(ada, other, there)
    ada.sends(room)
    assert DeliveryJobs(chat_of(app)).take() is None


class TestFailure:
    """A receiver that does not take what it is sent."""

    @pytest.mark.parametrize("answer", [DOWN, page(status="404 Not Found"), redirect("/x"), b""])
    def test_it_is_sent_again_with_the_same_id(
        self, ada: Caller, there: Site, deliveries: DeliveryJobs, app: Flask, answer: bytes
    ) -> None:
        """Only 2xx is success. What stands behind it waits, then all of it comes in order."""
        there.answers["/hook"] = answer
        room = ada.makes_room()
        webhook = hook(ada, room, there)
        ada.sends(room, "one")
        ada.sends(room, "two")
        assert work_off(deliveries) == 1
        failing = state(ada, room)
        assert (failing["failures"], failing["delivered"]) == (1, 1)
        assert failing["next_attempt_at"] > failing["failing_since"] > failing["created_at"]
        there.answers["/hook"] = OK
        assert work_off(deliveries) == 0  # it is not due yet
        pass_time(app, "webhooks", LONGEST)
        assert work_off(deliveries) == 2
        assert [body["data"]["seq"] for body in bodies(there)] == [2, 2, 3]
        first, second, third = (asked.headers["webhook-id"] for asked in there.asked)
        assert first == second != third
        for asked in there.asked:
            Webhook(webhook["secret"]).verify(asked.content, asked.headers)
        well = state(ada, room)
        assert (well["failures"], well["failing_since"], well["next_attempt_at"]) == (0, None, None)
        assert [
            (each["event"], each["attempt"], each["error"] is None)
            for each in log(ada, room, webhook)["deliveries"]
        ] == [(3, 1, True), (2, 2, True), (2, 1, False)]

    def test_it_is_left_alone_for_as_long_as_it_asks(
        self, app: Flask, ada: Caller, there: Site, deliveries: DeliveryJobs
    ) -> None:
        """Retry-After is heard."""
        there.answers["/hook"] = page(b"", "Retry-After: 3600", status="429 Too Many Requests")
        room = ada.makes_room()
        hook(ada, room, there)
        ada.sends(room)
        work_off(deliveries)
        (due,) = ask(app, "SELECT due_at > now() + interval '59 minutes' FROM webhooks")
        assert due == (True,)

    def test_after_three_days_it_is_disabled_and_says_so(
        self, app: Flask, ada: Caller, there: Site, deliveries: DeliveryJobs
    ) -> None:
        """The owner sees since when and why; nothing is sent any more; others are not touched."""
        there.answers["/hook"] = DOWN
        room = ada.makes_room()
        webhook = hook(ada, room, there)
        ada.sends(room)
        assert work_off(deliveries) == 1
        assert state(ada, room)["disabled_at"] is None
        pass_time(app, "webhooks", GIVE_UP_AFTER)
        assert work_off(deliveries) == 1
        disabled = state(ada, room)
        assert disabled["disabled_at"] is not None
        assert (disabled["failures"], disabled["next_attempt_at"]) == (2, None)
        assert log(ada, room, webhook)["deliveries"][0]["error"] == "the receiver answered 503"
        there.answers["/hook"] = OK
        pass_time(app, "webhooks", GIVE_UP_AFTER)
        assert work_off(deliveries) == 0

    def test_a_receiver_that_is_gone_is_disabled_at_once(
        self, ada: Caller, there: Site, deliveries: DeliveryJobs
    ) -> None:
        """410 is how a receiver says that it wants nothing more."""
        there.answers["/hook"] = page(b"", status="410 Gone")
        room = ada.makes_room()
        hook(ada, room, there)
        ada.sends(room)
        work_off(deliveries)
        assert state(ada, room)["disabled_at"] is not None

    def test_one_that_fails_holds_up_no_other(
        self, ada: Caller, there: Site, deliveries: DeliveryJobs
    ) -> None:
        """Each webhook has a place of its own in the log."""
        room = ada.makes_room()
        hook(ada, room, there, "/well")
        there.answers["/ill"] = DOWN
        hook(ada, room, there, "/ill")
        for _ in range(3):
            ada.sends(room)
        work_off(deliveries)
        assert [body["data"]["seq"] for body in bodies(there, "/well")] == [2, 3, 4]
        assert [body["data"]["seq"] for body in bodies(there, "/ill")] == [2]


def test_the_log_is_bounded_and_read_in_pages(
    app: Flask, ada: Caller, there: Site, deliveries: DeliveryJobs
) -> None:
    """The newest attempts are kept, and pages of them join without gap or doubling."""
    room = ada.makes_room()
    webhook = hook(ada, room, there)
    for _ in range(KEPT_IN_LOG + 5):
        ada.sends(room)
    assert work_off(deliveries) == KEPT_IN_LOG + 5
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        found = log(ada, room, webhook, limit=30, **before)
        seen += [each["event"] for each in found["deliveries"]]
        if found["next"] is None:
            break
        before = {"before": found["next"]}
    assert seen == list(range(KEPT_IN_LOG + 6, 6, -1))


class TestTakeover:
    """Two processes, each with a pool of its own, share the work."""

    def test_one_webhook_is_served_by_one_process_at_a_time(
        self, app: Flask, other_app: Flask, ada: Caller, there: Site
    ) -> None:
        """So its events are in order and none comes twice, however many work."""
        room = ada.makes_room()
        inside = most = 0

        def count(sock: Any, asked: Asked) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            sock.sendall(OK)
            inside -= 1

        there.answers["/hook"] = count
        hook(ada, room, there)
        for _ in range(30):
            ada.sends(room)

        def all_of_it(one: Flask) -> None:
            worker = DeliveryJobs(chat_of(one))
            while len(there.asked) < 30:
                work_off(worker)

        with TaskGroup() as group:
            for one in (app, other_app, app, other_app):
                group.go(all_of_it, one)
        assert [body["data"]["seq"] for body in bodies(there)] == list(range(2, 32))
        assert most == 1

    def test_nobody_waits_for_one_who_is_taking(
        self, ada: Caller, there: Site, migrated_url: str, deliveries: DeliveryJobs
    ) -> None:
        """A row that another transaction is just taking is passed over."""
        room = ada.makes_room()
        first = hook(ada, room, there, "/first")
        hook(ada, room, there, "/second")
        ada.sends(room)
        taking = "SELECT id FROM webhooks WHERE id = %s FOR UPDATE"
        with holding(migrated_url, taking, first["id"]):
            assert work_off(deliveries) == 1
        assert there.paths() == ["/second"]

    def test_what_a_dead_worker_had_is_sent_by_another(
        self, app: Flask, other_app: Flask, ada: Caller, there: Site
    ) -> None:
        """When its lease has ended: at least once. One that comes late does not move the place."""
        room = ada.makes_room()
        webhook = hook(ada, room, there)
        ada.sends(room)
        late = DeliveryJobs(chat_of(app)).take()
        assert late is not None
        assert work_off(DeliveryJobs(chat_of(other_app))) == 0
        pass_time(app, "webhooks", LEASE)
        assert work_off(DeliveryJobs(chat_of(other_app))) == 1
        late()
        assert state(ada, room)["delivered"] == 2
        assert len(log(ada, room, webhook)["deliveries"]) == 1
        first, second = there.asked  # the receiver knows the second one by its id
        assert first.headers["webhook-id"] == second.headers["webhook-id"]

    def test_a_worker_that_is_told_to_end_gives_its_work_back(
        self, other_app: Flask, ada: Caller, there: Site, deliveries: DeliveryJobs
    ) -> None:
        """Another sends it at once, and it counts as no failure."""
        reached = Event()

        def hold(sock: Any, asked: Asked) -> None:
            reached.set()
            sock.recv(1)  # the client goes

        there.answers["/hook"] = hold
        room = ada.makes_room()
        hook(ada, room, there)
        ada.sends(room)
        work = deliveries.take()
        assert work is not None
        task = go(work)
        assert reached.wait(20)
        task.kill()
        assert state(ada, room)["failures"] == 0
        there.answers["/hook"] = OK
        assert work_off(DeliveryJobs(chat_of(other_app))) == 1
