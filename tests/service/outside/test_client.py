"""The guarded HTTP client, against real servers on loopback."""

import gzip
import socket
import ssl
from collections import Counter
from contextlib import closing
from typing import Any

import gevent
import pytest
import trustme
from gevent.event import Event

from colorless.tasks import TaskGroup
from service.outside.client import OutsideClient, OutsideResponse
from service.outside.errors import Refused, TimedOut, Unreachable, UnusableResponse
from service.outside.ssrf import AddressPolicy
from tests.tools.sites import Asked, Site, page, redirect, site

HTML = "text/html"
MOST = 64 * 1024


class Names:
    """A resolver that says what it is told, one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def get(
    client: OutsideClient, url: str, seconds: float = 20, max_bytes: int = MOST
) -> OutsideResponse:
    return client.get(url, accept=HTML, seconds=seconds, max_bytes=max_bytes)


def for_site(there: Site, **options: Any) -> OutsideClient:
    return OutsideClient(AddressPolicy(there.allowed), **options)


def test_a_page_is_fetched_at_the_address_under_its_name() -> None:
    """The connection goes to the vetted address; Host, path and query are those of the URL."""
    with site({"/a%20b?q=1": page(b"hello")}) as there:
        names = Names(["127.0.0.1"])
        url = f"http://Site.Test:{there.port}/a b?q=1#part"
        answer = get(for_site(there, resolve=names), url)
    assert (answer.status, answer.content) == (200, b"hello")
    assert answer.url == f"http://site.test:{there.port}/a%20b?q=1#part"
    assert there.asked[0].headers["host"] == f"site.test:{there.port}"
    assert there.asked[0].headers["accept"] == HTML
    assert names.asked == ["site.test"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://localhost./",
        "https://10.0.0.1/",
        "http://user@8.8.8.8/",
        "http://user:secret@8.8.8.8/",
        "http://8.8.8.8:22/",
        "https://8.8.8.8:8443/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/",
        "http:///path",
        "http://[",
        "8.8.8.8",
        "",
    ],
)
def test_what_may_not_be_called_is_refused(url: str) -> None:
    """Every way to write a private address, a foreign port or another scheme is refused."""
    with pytest.raises(Refused):
        get(OutsideClient(AddressPolicy()), url)


def test_a_redirect_is_vetted_like_the_first_url() -> None:
    """A site that sends on to a private address is not followed there."""
    with site({"/": page()}) as inside, site() as there:
        there.answers["/"] = redirect(f"{inside.url}/")
        with pytest.raises(Refused):
            get(for_site(there), f"{there.url}/")
        assert inside.connections == 0


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "http://u:p@127.0.0.1/", "http://0/", "http://["]
)
def test_a_redirect_to_nowhere_one_may_go_is_refused(to: str) -> None:
    """Schemes and credentials are looked at on each hop."""
    with site({"/": redirect(to)}) as there, pytest.raises(Refused):
        get(for_site(there), f"{there.url}/")


def test_redirects_are_followed_and_counted() -> None:
    """Five are followed, relative ones too; a sixth ends it."""
    hops: dict[str, Any] = {f"/{n}": redirect(f"{n + 1}") for n in range(6)}
    with site({**hops, "/6": page(b"six")}) as there:
        answer = get(for_site(there), f"{there.url}/1")
        assert (answer.url, answer.content) == (f"{there.url}/6", b"six")
        there.asked.clear()
        with pytest.raises(UnusableResponse, match="redirects"):
            get(for_site(there), f"{there.url}/0")
        assert there.paths() == ["/0", "/1", "/2", "/3", "/4", "/5"]


def test_nothing_is_remembered_or_given_away_between_hops() -> None:
    """A cookie that one answer sets is not in the next request, nor is where one came from."""
    with site({"/": page(b"", "Set-Cookie: a=b", "Location: /next", status="302 Found")}) as there:
        get(for_site(there), f"{there.url}/")
    assert not {"cookie", "referer", "authorization"} & there.asked[1].headers.keys()


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    """DNS rebinding: the connection goes to what was vetted, there is no second look-up."""
    with site({"/": page(b"public")}) as there:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        answer = get(for_site(there, resolve=names), f"http://rebind.test:{there.port}/")
    assert (answer.content, names.asked) == (b"public", ["rebind.test"])


def test_a_name_is_resolved_and_vetted_anew_on_each_hop() -> None:
    """A redirect to the same name does not inherit what was found out about it before."""
    with site({"/": redirect("/next")}) as there:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        with pytest.raises(Refused):
            get(for_site(there, resolve=names), f"http://rebind.test:{there.port}/")
    assert there.paths() == ["/"]


def test_forbidden_addresses_among_a_names_are_left_out() -> None:
    """Of a public and a private address only the public one is connected to."""
    with (
        site({"/": page(b"right")}) as there,
        site({"/": page(b"wrong")}, host="127.0.0.2", port=there.port) as inside,
    ):
        names = Names(["127.0.0.2", "127.0.0.1"])
        answer = get(for_site(there, resolve=names), f"http://both.test:{there.port}/")
        assert (answer.content, inside.connections) == (b"right", 0)


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    """A host with one dead address is still reached."""
    with site({"/": page(b"alive")}) as there:
        client = OutsideClient(
            AddressPolicy(f"127.0.0.0/8:{there.port}"), resolve=Names(["127.0.0.9", "127.0.0.1"])
        )
        assert get(client, f"http://two.test:{there.port}/").content == b"alive"
        dead = OutsideClient(
            AddressPolicy(f"127.0.0.0/8:{there.port}"), resolve=Names(["127.0.0.9"])
        )
        with pytest.raises(Unreachable, match="takes no connection"):
            get(dead, f"http://two.test:{there.port}/")


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    """A failure of the resolver is the site's failure, also for a name no resolver can take."""
    for host in ("does-not-exist.invalid", "a" * 64 + ".invalid"):
        with pytest.raises(Unreachable, match="cannot be resolved"):
            get(OutsideClient(AddressPolicy()), f"http://{host}/")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve and connect by itself, past every check."""
    with site({"/": page(b"direct")}) as there, site() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert get(for_site(there), f"{there.url}/").content == b"direct"
        assert proxy.connections == 0


def slowly(sock: Any, asked: Asked) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        sock.sendall(b"x")
        gevent.sleep(0.005)


def silently(sock: Any, asked: Asked) -> None:
    Event().wait()


@pytest.mark.parametrize("answer", [slowly, silently])
def test_one_deadline_holds_for_all_of_a_call(answer: Any) -> None:
    """A site that sends a byte now and then, or nothing, is given up when its time is over."""
    with site({"/": answer, "/first": redirect("/")}) as there:
        client = for_site(there)
        with pytest.raises(TimedOut):
            get(client, f"{there.url}/first", seconds=0.3)
        assert client.host_limit.busy_hosts() == []


def test_the_deadline_holds_for_the_connecting_too() -> None:
    """A deadline that passes while one address takes no connection is not another's turn."""
    with site({"/": page()}) as there, closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.5", there.port))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(4)]  # they fill the queue that nobody serves
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(deaf.getsockname())
        client = OutsideClient(
            AddressPolicy(f"127.0.0.0/8:{there.port}"), resolve=Names(["127.0.0.5", "127.0.0.1"])
        )
        with pytest.raises(TimedOut):
            get(client, f"http://deaf.test:{there.port}/", seconds=0.3)
        assert there.connections == 0
        for each in waiting:
            each.close()


def endlessly(sock: Any, asked: Asked) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        sock.sendall(b"y" * 4096)


def test_a_body_without_an_end_is_cut() -> None:
    """As much as was asked for is read, then the connection is closed."""
    with site({"/": endlessly}) as there:
        assert get(for_site(there), f"{there.url}/").content == b"y" * MOST


def test_a_decompression_bomb_is_cut() -> None:
    """What unpacks to 64 MiB is unpacked as far as was asked for."""
    bomb = gzip.compress(b"z" * 64 * 1024 * 1024)
    with site({"/": page(bomb, "Content-Encoding: gzip")}) as there:
        assert get(for_site(there), f"{there.url}/").content == b"z" * MOST


def test_a_stream_of_nothing_is_cut() -> None:
    """Empty gzip members without end, which a counter of unpacked bytes would never stop."""

    def nothing(sock: Any, asked: Asked) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        while True:
            sock.sendall(gzip.compress(b"") * 100)

    with site({"/": nothing}) as there:
        assert get(for_site(there), f"{there.url}/").content == b""


@pytest.mark.parametrize(
    "content, encoding",
    [(b"no gzip at all", "gzip"), (b"", "br"), (gzip.compress(gzip.compress(b"x")), "gzip, gzip")],
)
def test_an_encoding_that_was_not_asked_for_is_a_bad_answer(content: bytes, encoding: str) -> None:
    """Only one layer of gzip is undone."""
    answer = page(content, f"Content-Encoding: {encoding}")
    with site({"/": answer}) as there, pytest.raises(UnusableResponse):
        get(for_site(there), f"{there.url}/")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"what is this?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(2000)) + b"\r\n",
    ],
)
def test_an_answer_that_is_none_is_unreachable(answer: bytes) -> None:
    """Broken HTTP is the site's failure, and raises nothing that a caller does not expect."""
    with site({"/": answer}) as there, pytest.raises(Unreachable):
        get(for_site(there), f"{there.url}/")


def test_one_host_is_visited_a_few_times_at_once_and_others_beside() -> None:
    """Two requests at a time reach a host, however many want to; another host waits for none."""
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()
    full, go_on = Event(), Event()

    def hold(sock: Any, asked: Asked) -> None:
        host = asked.headers["host"].partition(":")[0]
        inside[host] += 1
        most[host] = max(most[host], inside[host])
        if inside["a.test"] == 2 and inside["b.test"] == 1:
            full.set()
        go_on.wait()
        inside[host] -= 1
        sock.sendall(page())

    with site({"/": hold}) as there:
        client = for_site(there, resolve=Names(["127.0.0.1"]))
        with TaskGroup() as group:
            for host in ("a.test",) * 5 + ("b.test",):
                group.go(get, client, f"http://{host}:{there.port}/")
            assert full.wait(20)
            assert client.host_limit.busy_hosts() == ["a.test"]
            go_on.set()
    assert (len(there.asked), dict(most)) == (6, {"a.test": 2, "b.test": 1})


def test_what_is_posted_is_not_sent_on() -> None:
    """A redirect is an answer to a POST, and the body goes nowhere else."""
    with site({"/": redirect("/elsewhere")}) as there:
        answer = for_site(there).post(f"{there.url}/", b"{}", {"X-Own": "1"}, seconds=20)
    assert answer.status == 302
    assert [(a.path, a.method, a.content) for a in there.asked] == [("/", "POST", b"{}")]
    assert there.asked[0].headers["x-own"] == "1"


def test_an_answer_to_a_post_is_its_head() -> None:
    """A receiver whose answer has a body without an end has answered."""

    def never_ready(sock: Any, asked: Asked) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        Event().wait()

    with site({"/": never_ready}) as there:
        answer = for_site(there).post(f"{there.url}/", b"{}", {}, seconds=20)
    assert (answer.status, answer.content) == (200, b"")


class TestTLS:
    """A site with a certificate for ``site.test``."""

    ca = trustme.CA()

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("site.test").configure_cert(context)
        return context

    def client(self, there: Site, trusted: bool = True) -> OutsideClient:
        context = ssl.create_default_context()
        if trusted:
            self.ca.configure_trust(context)
        return for_site(there, resolve=Names(["127.0.0.1"]), tls=context)

    def test_the_certificate_is_for_the_name(self) -> None:
        """The connection goes to an address; SNI and certificate are those of the name."""
        with site({"/": page(b"secret")}, tls=self.server()) as there:
            answer = get(self.client(there), f"https://site.test:{there.port}/")
        assert (answer.content, there.server_names) == (b"secret", ["site.test"])

    def test_a_certificate_for_another_name_is_refused(self) -> None:
        """Nothing is sent to a host that cannot prove that it is the one in the URL."""
        with site(tls=self.server()) as there, pytest.raises(Unreachable, match="TLS"):
            get(self.client(there), f"https://other.test:{there.port}/")
        assert there.asked == []

    def test_a_certificate_of_unknown_authority_is_refused(self) -> None:
        """Certificates are checked against the authorities that the system trusts."""
        with site(tls=self.server()) as there, pytest.raises(Unreachable, match="TLS"):
            get(self.client(there, trusted=False), f"https://site.test:{there.port}/")
        assert there.asked == []
