"""Heads that arrive in pieces: each byte is looked at once, and limits hold meanwhile."""

from typing import Any

import pytest

from colorless.server.engine.arrival import ArrivingHead, Verdict
from colorless.server.engine.settings import HeadLimits
from tests.colorless.server.colours import Colour, in_both_colours
from tests.colorless.server.inside import until
from tests.colorless.server.wire import reference

INCOMPLETE, READY, TOO_LARGE = Verdict
LINE = b"GET / HTTP/1.1\r\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x7f\x00\x00\x01" * 2 + b"\x00\x50\x01\xbb"


class Counting(bytearray):
    """Counts the bytes that are searched."""

    searched = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        Counting.searched += len(self) - start
        return super().find(sub, start)


def last(pieces: list[bytes], limits: HeadLimits | None = None, proxied: bool = False) -> Verdict:
    """The last verdict; those before it say that more has to come."""
    head = ArrivingHead(limits or HeadLimits(), proxied)
    verdicts = [head.feed(piece) for piece in pieces]
    assert set(verdicts[:-1]) <= {INCOMPLETE}
    assert head.take() == b"".join(pieces)
    return verdicts[-1]


def first(pieces: list[bytes], limits: HeadLimits) -> Verdict:
    """The first verdict that more need not come, if there is one."""
    head = ArrivingHead(limits, proxied=False)
    verdicts = (head.feed(piece) for piece in pieces)
    return next((verdict for verdict in verdicts if verdict is not INCOMPLETE), INCOMPLETE)


def each_byte(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


def test_every_byte_is_looked_at_once() -> None:
    """A head of 20,000 bytes that comes byte by byte costs 20,000 looks and not 200 million."""
    head = ArrivingHead(HeadLimits(), proxied=False)
    head._data = Counting()
    data = LINE + (b"X: " + b"y" * 2000 + b"\r\n") * 10 + b"\r\n"
    Counting.searched = 0
    assert [head.feed(byte) for byte in each_byte(data)][-1] is READY
    assert len(data) <= Counting.searched <= 2 * len(data)


@pytest.mark.parametrize(
    "data",
    [
        LINE + b"\r\n",
        LINE + b"Host: a\r\n\r\n",
        b"\r\n" + LINE + b"Host: a\r\n\r\n",
        LINE + b"Host: a\n",  # never ends as a head does, and is refused at once
        b"GET / HTTP/1.1\n",
        b"\n",
        b"\r\n\r\n",
        LINE + b"A: b\r\n c\r\n\r\n",
    ],
)
def test_a_head_is_ready_with_its_last_byte(data: bytes) -> None:
    """Neither earlier nor later, however it comes."""
    assert last(each_byte(data)) is READY


@pytest.mark.parametrize("proxied", [b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", V2])
def test_the_proxy_protocols_part_is_not_taken_for_a_head(proxied: bytes) -> None:
    """The head behind it is what has to arrive, though version 2 contains an empty line."""
    limits = HeadLimits(proxy_protocol=frozenset({"v1", "v2"}))
    assert last(each_byte(proxied + LINE + b"Host: a\r\n\r\n"), limits, proxied=True) is READY
    assert last([LINE + b"Host: a\r\n\r\n"], limits, proxied=True) is READY


def test_the_proxy_protocols_part_has_a_limit() -> None:
    """A line that never ends is not kept for ever."""
    limits = HeadLimits(line=100, proxy_protocol=frozenset({"v1"}))
    assert last([b"PROXY " + b"x" * 60_000, b"x" * 6_000], limits, proxied=True) is TOO_LARGE


LIMITS = HeadLimits(line=30, fields=3, field=20)


@pytest.mark.parametrize(
    "data, verdict",
    [
        (b"G" * 32, INCOMPLETE),
        (b"G" * 33, READY),  # as gunicorn's parser has it, who refuses it at once
        (b"G" * 30 + b"\r\n", INCOMPLETE),
        (b"G" * 31 + b"\r\n", READY),
        (LINE + b"A: b\r\n" * 3, INCOMPLETE),
        (LINE + b"A: b\r\n" * 4, TOO_LARGE),
        (LINE + b"A: " + b"b" * 15 + b"\r\n", INCOMPLETE),
        (LINE + b"A: " + b"b" * 16 + b"\r\n", TOO_LARGE),
        (LINE + b"A: " + b"b" * 17, TOO_LARGE),
        (LINE + b"A: b\r\n" + b" c\r\n" * 3, INCOMPLETE),
        (LINE + b"A: b\r\n" + b" c\r\n" * 4, TOO_LARGE),
        (LINE + b"A: b\r\n" * 2 + b" c\r\n A: b\r\n", INCOMPLETE),
    ],
)
def test_limits_hold_while_a_head_arrives(data: bytes, verdict: Verdict) -> None:
    """A line, the number of fields and each field have gunicorn's limits, to the byte."""
    assert last([data], LIMITS) is verdict
    assert first(each_byte(data), LIMITS) is verdict


def test_fields_that_are_dropped_do_not_count() -> None:
    """gunicorn counts no field that its header_map drops, so neither do we."""
    data = LINE + b"A_A: b\r\n" * 4
    assert last([data], HeadLimits(fields=3, counts_underscores=False)) is INCOMPLETE
    assert last([data], HeadLimits(fields=3)) is TOO_LARGE


TOO_MUCH = {
    "line": (b"GET /" + b"x" * 5000, 414),
    "field": (LINE + b"A: " + b"x" * 9000, 431),
    "fields": (LINE + b"A: b\r\n" * 101, 431),
    "fields after a bad one": (LINE + b"A b: c\r\n" + b"A: b\r\n" * 101, 400),
}


@in_both_colours
@pytest.mark.parametrize("data, status", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_large_is_refused_before_it_ends(
    colour: Colour, data: bytes, status: int
) -> None:
    """The client is told as soon as a limit is passed, with the status that gunicorn has for it,
    and what it has sent reaches no application."""
    called: list[None] = []
    with colour.serving(colour.doing(lambda: called.append(None))) as inside:
        client = inside.connect()
        client.send(data[:1], data[1:])
        assert client.answer()[0] == status
        assert client.rest() == b""
        assert called == []
        ended = reference(inside.worker.cfg, data + b"\r\n\r\n")
        assert ended.requests == []
        assert ended.error is not None


@in_both_colours
def test_a_large_head_in_small_pieces_is_served(colour: Colour) -> None:
    """What is within the limits is one request, in however many pieces it comes."""
    field = b"X-%d: " + b"y" * 500 + b"\r\n"
    data = LINE + b"".join(field % n for n in range(90)) + b"\r\n"
    with colour.serving(colour.doing(lambda: None)) as inside:
        client = inside.connect()
        pieces = [data[n : n + 997] for n in range(0, len(data), 997)]
        client.send(*pieces, LINE, b"\r\n")
        assert [client.answer()[2] for _ in range(2)] == [b"hello"] * 2
        until(lambda: inside.server.load == 0)
