"""Calls to other services: kept connections, broken ones, slow ones, and certificates."""

import ssl
from typing import Any

import gevent
import pytest
import trustme
from gevent.event import Event

from colorless.deadlines import DeadlineExceeded, fail_after
from colorless.http import Answer, BadAnswer, Client, NoAnswer, TooSlow
from colorless.tasks import TaskGroup
from tests.tools.keeping import Keeper, keeper, say, whole


def test_calls_one_after_the_other_share_a_connection() -> None:
    """Path and query arrive as they were written; the second call opens no connection."""
    with (
        keeper(say(whole(b"hello", "X-Own: a", "X-Own: b"))) as site,
        Client(headers={"User-Agent": "test"}) as client,
    ):
        first = client.get(f"{site.url}/a?b=c%20d#part")
        second = client.post(f"{site.url}", b"{}", {"X-Own": "1"})
    assert first == Answer(200, {"content-length": "5", "x-own": "a, b"}, b"hello")
    assert second.status == 200
    assert (site.asked, site.connections) == (["GET /a?b=c%20d", "POST /"], 1)
    assert "User-Agent: test\r\n" in site.heads[0]
    assert "X-Own: 1\r\n" in site.heads[1]
    assert f"Host: {site.url[7:]}\r\n" in site.heads[1]


def test_calls_at_once_wait_side_by_side() -> None:
    """Fifty calls are all with the server before it answers the first."""
    arrived: list[str] = []
    all_there = Event()

    def hold(sock: Any, target: str, content: bytes) -> bool:
        arrived.append(target)
        if len(arrived) == 50:
            all_there.set()
        assert all_there.wait(20)
        sock.sendall(whole(target.encode()))
        return True

    with keeper(hold) as site, Client() as client:
        with TaskGroup() as group:
            tasks = [group.go(client.get, f"{site.url}/{n}") for n in range(50)]
        assert [task.get().content for task in tasks] == [b"/%d" % n for n in range(50)]
        client.get(f"{site.url}/again")
        assert site.connections == 50


def test_idle_connections_are_few() -> None:
    """Those idle longest are closed when there are more than may be kept."""
    go_on = Event()

    def hold(sock: Any, target: str, content: bytes) -> bool:
        go_on.wait()
        sock.sendall(whole())
        return True

    with keeper(hold) as site, Client(max_idle=2) as client:
        with TaskGroup() as group:
            for _ in range(5):
                group.go(client.get, site.url)
            while len(site.asked) < 5:
                gevent.sleep(0)
            go_on.set()
        while len(site.open) > 2:
            gevent.sleep(0)
        client.get(site.url)
        assert site.connections == 5


def test_a_connection_that_was_idle_for_long_is_not_used() -> None:
    """The server may be about to close it."""
    with keeper(say(whole())) as site, Client(idle_seconds=0) as client:
        client.get(site.url)
        client.get(site.url)
        assert site.connections == 2


def test_a_connection_closed_meanwhile_is_replaced_unseen() -> None:
    """What the server did to an idle connection is nothing that a caller sees; and nobody takes the
    farewell of an impatient server for the answer to the next question."""
    for farewell in (b"", whole(b"too slow", status="408 Request Timeout")):
        with keeper(say(whole())) as site, Client() as client:
            client.get(site.url)
            [sock] = site.open
            sock.sendall(farewell)
            sock.shutdown(2)
            while site.open:
                gevent.sleep(0)
            assert client.get(site.url).content == b"hello"
            assert site.connections == 2


def closing_the_second() -> Any:
    count = 0

    def it(sock: Any, target: str, content: bytes) -> bool:
        nonlocal count
        count += 1
        if count == 2:
            return False
        sock.sendall(whole())
        return True

    return it


def ask_twice(site: Keeper, method: str) -> None:
    with Client() as client:
        client.get(site.url)
        client.request(method, f"{site.url}/second", content=b"x")


def test_what_may_be_repeated_is_sent_again_when_a_kept_connection_breaks() -> None:
    """A server may close a connection while the next request is under way to it."""
    with keeper(closing_the_second()) as site:
        ask_twice(site, "PUT")
        assert site.asked == ["GET /", "PUT /second", "PUT /second"]


def test_a_post_is_never_sent_twice() -> None:
    """Nobody knows whether the server has done it."""
    with keeper(closing_the_second()) as site:
        with pytest.raises(NoAnswer):
            ask_twice(site, "POST")
        assert site.asked == ["GET /", "POST /second"]


def test_a_fresh_connection_that_breaks_is_an_error() -> None:
    """A server that never answers is not asked again and again."""

    def hang_up(sock: Any, target: str, content: bytes) -> bool:
        return False

    with keeper(hang_up) as site:
        with pytest.raises(NoAnswer):
            Client().get(site.url)
        assert site.asked == ["GET /"]


def silent(sock: Any, target: str, content: bytes) -> bool:
    Event().wait()
    return False


def trickling(sock: Any, target: str, content: bytes) -> bool:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        sock.sendall(b"x")
        gevent.sleep(0.005)


@pytest.mark.parametrize("way", [silent, trickling])
def test_a_call_has_a_time_limit_and_the_callers_deadline_is_another(way: Any) -> None:
    """Both hold for all of a call, and the connection is not kept."""
    with keeper(way) as site:
        with pytest.raises(TooSlow):
            Client(timeout=0.1).get(site.url)
        with pytest.raises(DeadlineExceeded), fail_after(0.1):
            Client().get(site.url)
        with fail_after(0.1), pytest.raises(DeadlineExceeded), TaskGroup() as group:
            group.go(Client().get, site.url)
        while way is trickling and site.open:
            gevent.sleep(0)


def test_a_body_that_is_too_large_is_refused() -> None:
    """Neither a length nor chunks without end fill the memory."""

    def endless(sock: Any, target: str, content: bytes) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sock.sendall(b"3e8\r\n" + b"y" * 1000 + b"\r\n")

    with keeper(say(whole(b"z" * 1001))) as site, pytest.raises(BadAnswer, match="1000 bytes"):
        Client(max_bytes=1000).get(site.url)
    with keeper(endless) as site, pytest.raises(BadAnswer, match="1000 bytes"):
        Client(max_bytes=1000).get(site.url)


def test_a_large_body_goes_both_ways() -> None:
    """What does not fit into the kernel's buffers waits for the other side."""
    large = b"0123456789abcdef" * 500_000

    def echo(sock: Any, target: str, content: bytes) -> bool:
        sock.sendall(whole(content))
        return True

    with keeper(echo) as site, Client() as client:
        assert client.post(site.url, large).content == large


@pytest.mark.parametrize(
    "url",
    ["ftp://a/", "//a/", "http:///", "http://u:p@a/", "a", "http://a\r\nX: y/", "http://a b/"],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="URL"):
        Client().get(url)


def test_no_connection_is_the_systems_own_error() -> None:
    """A port that nobody listens on is a ConnectionRefusedError, as with any socket."""
    with keeper(say(whole())) as site:
        url = site.url
    with pytest.raises(ConnectionRefusedError):
        Client().get(url)


class TestTLS:
    """A site with a certificate for 127.0.0.1, or for another name."""

    ca = trustme.CA()

    def server(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        return context

    def client(self) -> Client:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return Client(tls=context)

    def test_connections_are_kept_too(self) -> None:
        """The handshake's leftovers (session tickets) are no reason to drop one."""
        large = b"0123456789abcdef" * 50_000
        with (
            keeper(say(whole(large)), tls=self.server("127.0.0.1")) as site,
            self.client() as client,
        ):
            for _ in range(3):
                assert client.post(site.url, large).content == large
            assert site.connections == 1

    def test_certificates_are_verified(self) -> None:
        """For the name, and by default against the authorities that the system trusts."""
        with keeper(say(whole()), tls=self.server("other.test")) as site:
            with pytest.raises(ssl.SSLCertVerificationError):
                self.client().get(site.url)
            with pytest.raises(ssl.SSLCertVerificationError):
                Client().get(site.url)
            assert site.asked == []
