"""No request is read otherwise than gunicorn reads it, however its bytes arrive."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.colorless.server.inside import serving
from tests.colorless.server.wire import CUT_SHORT, PEER, Reading, Wire, reference

CASES = json.loads(Path(__file__).with_name("corpus.json").read_text())
BY_NAME = [pytest.param(case, id=case["name"]) for case in CASES]
TRUSTED = ("127.0.0.1", 1)


@contextmanager
def wire(**gunicorn_settings: Any) -> Iterator[Wire]:
    with serving(lambda *_: [], **gunicorn_settings) as inside:
        yield Wire(inside)


def splits(data: bytes) -> Iterator[int]:
    """Every place to cut; in a large request, those around line ends and some between."""
    if len(data) < 1000:
        return iter(range(1, len(data)))
    near_line_ends = {m.start() + n for m in re.finditer(b"[\r\n]", data) for n in (-1, 0, 1, 2)}
    return iter(sorted(n for n in near_line_ends | {*range(1, len(data), 509)} if n < len(data)))


@pytest.mark.parametrize("case", BY_NAME)
def test_gunicorns_corpus_is_read_as_gunicorn_reads_it(case: dict[str, Any]) -> None:
    """Each valid request reaches the application as expected; each invalid one never does."""
    data = case["data"].encode("latin-1")
    with wire(**case["settings"]) as own:
        expected = reference(own.worker.cfg, data, TRUSTED)
        read = own.read([data], TRUSTED)
        assert read.requests == expected.requests
        assert (read.error or expected.error) == expected.error
        if case["name"].startswith("invalid/"):
            assert expected.error in case["expect"]
        elif expected.error != CUT_SHORT:
            wanted = [(r["method"], r["uri"], r["body"].encode("latin-1")) for r in case["expect"]]
            got = [(r["REQUEST_METHOD"], r["RAW_URI"], r["body"]) for r in read.requests]
            assert got == wanted


@pytest.mark.parametrize("case", BY_NAME)
def test_where_the_bytes_are_cut_makes_no_difference(case: dict[str, Any]) -> None:
    """Split in two at every place, and byte by byte, a stream gives the same requests."""
    data = case["data"].encode("latin-1")
    with wire(**case["settings"]) as own:
        whole = own.read([data], TRUSTED)
        for cut in splits(data):
            parts = own.read([data[:cut], data[cut:]], TRUSTED)
            assert parts.requests == whole.requests, cut
        if len(data) < 4000:
            each = [data[n : n + 1] for n in range(len(data))]
            assert own.read(each, TRUSTED).requests == whole.requests


SMUGGLED = [
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ²\r\n\r\nhello".encode("latin-1"),
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0;\r\nx\r\n\r\n",
    b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a="\r\nb"\r\nx\r\n0\r\n\r\n',
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\n\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.9\r\nHost: a\r\n\r\n",
    b"GET http://a/b?c#d HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a;b=c?d#e?f HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\n"
    b"helloGET /2 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
    b"GET / HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n\r\n",
    b"GET / HTTP/1.1\r\nScript_Name: /a\r\nPath_Info: /b\r\n\r\n",
]


@pytest.mark.parametrize("peer", [PEER, TRUSTED], ids=["stranger", "proxy"])
@pytest.mark.parametrize("data", SMUGGLED)
def test_known_attacks_are_read_as_gunicorn_reads_them(data: bytes, peer: Any) -> None:
    """Ambiguous framing, odd targets and forged fields: the same requests, or none."""
    with wire() as own:
        expected = reference(own.worker.cfg, data, peer)
        read = own.read([data], peer)
        assert read.requests == expected.requests
        assert (read.error or expected.error) == expected.error


def assert_no_more_lenient(read: Reading, expected: Reading) -> None:
    assert read.requests == expected.requests[: len(read.requests)]
    if read.error is None and expected.error is None:
        assert len(read.requests) == len(expected.requests)


# Pieces that parsers are known to disagree about, to be put together at random.
NAMES = [b"Host", b"Content-Length", b"Transfer-Encoding", b"X-A", b"x_a", b"Expect", b"Trailer"]
NAMES += [b"Content-Type", b"Connection", b"Upgrade", b"X-Forwarded-Proto", b"Cookie", b""]
VALUES = [b"", b"0", b"3", b"5", b"chunked", b"identity", b"close", b"keep-alive", b"a", b"https"]
VALUES += [b"100-continue", b"gzip, chunked", b"a\tb", b"\xff", b"\x00", b"3, 3", b"websocket"]
SPACES = st.sampled_from([b"", b" ", b"\t", b"  "])
ENDS = st.sampled_from([b"\r\n"] * 20 + [b"\n", b"\r", b"\r\r\n", b"\r\n ", b""])
FIELDS = st.tuples(
    st.sampled_from(NAMES), st.sampled_from([b":"] * 9 + [b" :", b""]), SPACES,
    st.sampled_from(VALUES), SPACES, ENDS,
).map(b"".join)  # fmt: skip
METHODS = st.sampled_from([b"GET", b"POST", b"HEAD", b"CONNECT", b"get", b"PATCH", b"X-#", b"PRI"])
TARGETS = st.sampled_from([b"/", b"/a?b#c", b"*", b"a:80", b"http://h/p", b"//x", b"/\xff", b""])
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 9 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1"])
LINES = st.tuples(METHODS, st.just(b" "), TARGETS, st.just(b" "), VERSIONS, ENDS).map(b"".join)
BODIES = st.sampled_from(
    [
        b"",
        b"abc",
        b"hello",
        b"0\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3;x\r\nabc\r\n0\r\nA: b\r\n\r\n",
    ]
)
MESSAGES = st.tuples(LINES, st.lists(FIELDS, max_size=5).map(b"".join), ENDS, BODIES).map(b"".join)
STREAMS = st.lists(MESSAGES, min_size=1, max_size=3).map(b"".join)


@given(data=STREAMS, cut=st.integers(0, 400), trusted=st.booleans())
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_stream_is_read_more_leniently_than_by_gunicorn(
    data: bytes, cut: int, trusted: bool
) -> None:
    """Random streams of doubtful pieces: what is accepted, gunicorn accepts and reads alike."""
    peer = TRUSTED if trusted else PEER
    with wire() as own:
        expected = reference(own.worker.cfg, data, peer)
        assert_no_more_lenient(own.read([data[:cut], data[cut:]], peer), expected)


@given(data=st.binary(max_size=60), position=st.integers(0, 200), case=st.sampled_from(CASES))
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_requests_are_read_as_gunicorn_reads_them(
    data: bytes, position: int, case: dict[str, Any]
) -> None:
    """Requests of the corpus with random bytes in them: never more lenient."""
    original = case["data"].encode("latin-1")[:4000]
    damaged = original[:position] + data + original[position + len(data) :]
    with wire(**case["settings"]) as own:
        assert_no_more_lenient(own.read([damaged]), reference(own.worker.cfg, damaged))
