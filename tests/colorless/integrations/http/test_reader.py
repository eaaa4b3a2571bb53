"""What is an answer and where it ends, byte by byte, without sockets."""

import pytest

from colorless.http import BadAnswer, NoAnswer
from colorless.integrations.http.reader import MAX_FIELDS, Answer, ResponseReader
from colorless.integrations.http.request import encode

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: no\r\n\r\n"
)
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nhello"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH


def read(
    data: bytes, size: int, method: str = "GET", max_bytes: int = 100, truncate: bool = False
) -> ResponseReader:
    reader = ResponseReader()
    reader.begin(method, max_bytes, truncate=truncate)
    for start in range(0, len(data), size):
        if not reader.done:
            reader.feed(data[start : start + size])
    if not reader.done:
        reader.end()
    return reader


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "data, reusable",
    [
        (LENGTH, True),
        (CHUNKED, True),
        (INTERIM, True),
        (TO_THE_END, False),
        (LENGTH.replace(b"OK", b"OK\r\nConnection: close"), False),
        (LENGTH.replace(b"1.1", b"1.0"), False),
    ],
)
def test_an_answer_ends_where_its_head_says(data: bytes, reusable: bool, size: int) -> None:
    """However it arrives; and the connection is kept only where both sides know that end."""
    reader = read(data, size)
    answer = reader.answer()
    assert (answer.status, answer.content, reader.reusable) == (200, b"hello", reusable)
    assert "link" not in answer.headers
    assert "x-trailer" not in answer.headers


def test_one_reader_reads_one_answer_after_the_other() -> None:
    """As they come on a kept connection."""
    reader = ResponseReader()
    for data in (LENGTH, CHUNKED, INTERIM, LENGTH):
        reader.begin("GET", 100, truncate=False)
        reader.feed(data)
        assert (reader.answer().content, reader.reusable) == (b"hello", True)


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Same\r\n\r\n"])
def test_some_answers_have_no_body(head: bytes) -> None:
    """Their status says so."""
    reader = read(head, 1000)
    assert (reader.answer().content, reader.reusable) == (b"", True)


def test_the_answer_to_head_has_no_body() -> None:
    """Whatever length it speaks of."""
    answer = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000, method="HEAD").answer()
    assert answer == Answer(200, {"content-length": "5"}, b"")


@pytest.mark.parametrize("extra", [b"x", LENGTH])
def test_more_than_was_asked_for_ends_the_connection(extra: bytes) -> None:
    """The answer counts, but the next call must not get what is left over."""
    reader = read(LENGTH + extra, 1000)
    assert (reader.answer().content, reader.reusable) == (b"hello", False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        LENGTH[:-1],
        CHUNKED[:-1],
        CHUNKED[:60],
        INTERIM[:-60],
    ],
)
def test_an_answer_cut_short_is_none(data: bytes) -> None:
    """The end of the connection is not taken for the end of an answer that has another."""
    with pytest.raises(NoAnswer):
        read(data, 1000)


@pytest.mark.parametrize(
    "data",
    [
        b"what is this?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 50_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    """Nonsense, two ends that differ, and heads, trailers or interim answers without end."""
    with pytest.raises(BadAnswer):
        read(data, 1000)


@pytest.mark.parametrize("data", [LENGTH, CHUNKED, TO_THE_END])
def test_a_body_may_be_truncate(data: bytes) -> None:
    """Where only the beginning is wanted; else a longer one is refused."""
    reader = read(data, 1, max_bytes=3, truncate=True)
    assert (reader.answer().content, reader.reusable) == (b"hel", False)
    with pytest.raises(BadAnswer, match="3 bytes"):
        read(data, 1, max_bytes=3)


def test_nothing_is_waited_for_behind_the_truncate() -> None:
    """A server that says no more then holds nobody up; with no room for a body the head is all."""
    for max_bytes, data in ((0, LENGTH[:-5]), (3, LENGTH[:-2])):
        reader = ResponseReader()
        reader.begin("POST", max_bytes, truncate=True)
        reader.feed(data)
        assert (reader.done, reader.reusable) == (True, False)
        assert reader.answer().content == b"hello"[:max_bytes]


def test_a_head_has_so_many_lines() -> None:
    """Joining the values of one name a thousand times would hold other green threads up."""
    head = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_FIELDS
    assert read(head + b"\r\n", 1000).answer().status == 200
    with pytest.raises(BadAnswer, match="lines"):
        read(head + b"X: y\r\n\r\n", 1000)


@pytest.mark.parametrize(
    "method, headers",
    [
        ("GET\r\nX: y", {}),
        ("get", {}),
        ("GET", {"X": "y\r\nZ: z"}),
        ("GET", {"X": "y\n"}),
        ("GET", {"X\n": "y"}),
        ("GET", {"X: y\r\nZ": "z"}),
        ("GET", {"": "y"}),
        ("GET", {"X": "\u20ac"}),
    ],
)
def test_nothing_smuggles_a_line_into_a_request(method: str, headers: dict[str, str]) -> None:
    """Methods and headers are one line each."""
    with pytest.raises(ValueError, match="is no"):
        encode(method, "/", "a", headers, b"")


@pytest.mark.parametrize(
    "target, sent",
    [
        ("/a b", "/a%20b"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
        ("/%20?ä=€", "/%20?%C3%A4=%E2%82%AC"),
        ("?a=b", "/?a=b"),
    ],
)
def test_a_target_is_quoted_where_it_must_be(target: str, sent: str) -> None:
    """And what is quoted already stays as it is."""
    assert encode("GET", target, "a", {}, b"").startswith(f"GET {sent} HTTP/1.1\r\n".encode())
