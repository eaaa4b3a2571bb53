"""Two people talk to each other in real browsers, through two worker processes."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from service.db.migrate import migrate
from tests.tools.browser import Browser, browser
from tests.tools.server import Server, running

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def service(database_url: str) -> Iterator[Server]:
    migrate(database_url)
    env = {"DATABASE_URL": database_url, "PORT": "0", "WORKERS": "2", "LOGINS_PER_MINUTE": "0"}
    with running(["gunicorn", "--config", "gunicorn.conf.py"], env=env) as server:
        yield server


@pytest.fixture(scope="module")
def ada(service: Server) -> Iterator[Browser]:
    with browser() as person:
        sign_up(person, service, "ada")
        yield person


@pytest.fixture(scope="module")
def bob(service: Server) -> Iterator[Browser]:
    with browser() as person:
        sign_up(person, service, "bob")
        yield person


def sign_up(person: Browser, service: Server, name: str) -> None:
    person.open(service.url)
    person.type("input[name=name]", name)
    person.type("input[name=password]", PASSWORD)
    person.click("button[value=sign-up]")
    person.sees("#me", name)


def workers_of(server: Server) -> list[int]:
    listed = subprocess.run(
        ["pgrep", "--parent", str(server.process.pid)], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in listed.stdout.split()]


def test_wrong_password_is_said(service: Server) -> None:
    """Who signs in with a wrong password is told so, on the page."""
    with browser() as person:
        person.open(service.url)
        person.type("input[name=name]", "nobody")
        person.type("input[name=password]", "wrong password")
        person.click("button[value=sign-in]")
        person.sees("#door-error", "wrong")


def test_two_people_talk(ada: Browser, bob: Browser) -> None:
    """What one writes the other sees, live: messages, edits, reactions, typing, presence."""
    ada.click("#new-room")
    ada.type("#room-form input[name=name]", "kitchen")
    ada.click("#room-form button.primary")
    ada.sees("#room-name", "kitchen")
    ada.send("is anybody here?")

    bob.click("#browse")
    bob.click("button[aria-label='Join kitchen']")
    bob.sees("#timeline .body", "is anybody here?")
    bob.type("#body", "I")
    ada.sees("#typing", "bob is writing")
    bob.send(" am")
    ada.sees("#timeline .body", "I am")
    ada.sees("#online", "bob")
    bob.sees("#online", "ada")

    bob.click("#message-2 button[aria-label=Edit]")
    bob.find("#body").clear()
    bob.send("I am here now")
    ada.sees("#message-2 .body", "I am here now")
    ada.sees("#message-2", "edited")

    ada.click("#message-2 button[aria-label='React with 🎉']")
    bob.sees("#message-2 .reactions", "🎉 1")
    ada.click("#message-1 button[aria-label=Delete]")
    bob.sees("#message-1", "deleted")


def test_unread_is_counted_in_another_room(ada: Browser, bob: Browser) -> None:
    """A message in a room that is not open shows as a number beside it."""
    ada.click("#new-room")
    ada.type("#room-form input[name=name]", "garden")
    ada.click("#room-form button.primary")
    ada.sees("#room-name", "garden")
    bob.send("still in the kitchen")
    ada.sees("#rooms .badge", "1")


def test_markup_stays_text(ada: Browser, bob: Browser) -> None:
    """A message that is written as markup is shown as it was written, and runs nowhere."""
    ada.click("#rooms li:nth-child(1) button")
    ada.sees("#room-name", "kitchen")
    ada.send("<img src=x onerror=\"document.title='stolen'\">")
    bob.sees("#timeline .body", "<img src=x")
    assert bob.driver.title != "stolen"


def test_killed_worker_is_survived(service: Server, ada: Browser, bob: Browser) -> None:
    """When a worker is killed the page says so, comes back, and nothing is missing or doubled."""
    for number in range(3):
        ada.send(f"before {number}")
    bob.sees("#timeline .body", "before 2")

    for pid in workers_of(service):
        os.kill(pid, signal.SIGKILL)
        break
    for number in range(3):
        ada.send(f"after {number}")
        ada.sees("#timeline .body", f"after {number}")
    bob.sees("#timeline .body", "after 2")
    for person in (ada, bob):
        person.sees_no_more("#connection", "Reconnecting")
        said = [text for text in person.messages() if text.startswith(("before", "after"))]
        assert said == [f"{when} {n}" for when in ("before", "after") for n in range(3)]


def test_both_workers_killed_shows_the_reconnection(service: Server, bob: Browser) -> None:
    """A connection that broke shows itself, and goes on by itself."""
    bob.driver.execute_script(
        "window.seen = []; new MutationObserver(() => seen.push("
        "document.getElementById('connection').textContent))"
        ".observe(document.getElementById('connection'), { childList: true });"
    )
    for pid in workers_of(service):
        os.kill(pid, signal.SIGKILL)
    bob.wait(
        lambda driver: driver.execute_script(
            "const lost = seen.findIndex((text) => text.includes('Reconnecting'));"
            "return lost >= 0 && seen.indexOf('', lost) > lost"
        ),
        "no reconnection was shown",
    )


def test_stock_event_source_resumes_by_itself(service: Server, ada: Browser, bob: Browser) -> None:
    """The browser's own EventSource follows the room, and misses and doubles nothing when the
    workers are killed: it sends back the last id that it was given, and no script of ours helps."""
    ada.driver.execute_script(
        """
        window.heard = [];
        window.source = new EventSource("/v1/events");
        source.onmessage = ({ data }) => {
          const event = JSON.parse(data);
          if (event.type === "ready") heard.push("ready");
          if (event.type === "message.created") heard.push(event.message.body);
        };
        """
    )
    ada.wait(lambda driver: driver.execute_script("return heard.includes('ready')"), "not ready")
    bob.send("heard once")
    heard = "return heard.filter((text) => text.startsWith('heard')).join()"
    ada.wait(lambda driver: driver.execute_script(heard) == "heard once", "nothing heard")
    for pid in workers_of(service):
        os.kill(pid, signal.SIGKILL)
    bob.send("heard after")
    ada.wait(
        lambda driver: driver.execute_script(heard) == "heard once,heard after",
        "the stream did not go on where it broke off",
    )
    ada.driver.execute_script("source.close()")


def test_history_loads_as_one_scrolls_up(service: Server, ada: Browser) -> None:
    """Older messages appear when one scrolls to the top, and one stays where one was reading."""
    ada.driver.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        (async () => {
          const { token } = JSON.parse(localStorage.getItem("colorless.session"));
          const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
          const rooms = await (await fetch("/v1/rooms", { headers })).json();
          for (let n = 0; n < 120; n++) {
            await fetch(`/v1/rooms/${rooms.rooms[0].id}/messages`, { method: "POST", headers,
              body: JSON.stringify({ client_id: `history-${n}`, body: `history ${n}` }) });
          }
          done();
        })();
        """
    )
    ada.open(service.url)
    ada.sees("#timeline .body", "history 119")
    assert "history 0" not in ada.messages()
    for _ in range(4):
        ada.driver.execute_script("document.getElementById('timeline').scrollTop = 0")
        if "history 0" in ada.messages():
            break
    ada.wait(
        lambda driver: driver.execute_script(
            "document.getElementById('timeline').scrollTop = 0;"
            "return [...document.querySelectorAll('#timeline .body')]"
            ".some((body) => body.textContent === 'history 0')"
        ),
        "the first of the history never came",
    )
    history = [text for text in ada.messages() if text.startswith("history")]
    assert history == [f"history {n}" for n in range(120)]


def test_narrow_page_shows_one_thing_at_a_time(ada: Browser) -> None:
    """On a narrow screen the rooms are behind a button, and nothing is wider than the screen."""
    ada.driver.set_window_size(400, 700)
    ada.click("#open-rooms")
    ada.find("#sidebar.open")
    ada.click("#rooms button")
    ada.find("#timeline")
    wider = ada.driver.execute_script(
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    ada.driver.set_window_size(1100, 700)
    assert not wider
