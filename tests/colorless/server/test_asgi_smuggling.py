"""No request reaches an ASGI application otherwise than gunicorn reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.colorless.server.asgi_inside import ASGIWire, comparable, serving
from tests.colorless.server.test_smuggling import (
    BY_NAME,
    CASES,
    SMUGGLED,
    STREAMS,
    TRUSTED,
    assert_no_more_lenient,
    splits,
)
from tests.colorless.server.wire import PEER, Reading, reference


@contextmanager
def wire(**gunicorn_settings: Any) -> Iterator[ASGIWire]:
    with serving(lambda *_: None, **gunicorn_settings) as inside:
        yield ASGIWire(inside)


def expected_of(own: ASGIWire, data: bytes, peer: Any) -> Reading:
    return comparable(reference(own.worker.cfg, data, peer))


@pytest.mark.parametrize("case", BY_NAME)
def test_gunicorns_corpus_is_read_as_gunicorn_reads_it(case: dict[str, Any]) -> None:
    """Each valid request reaches the application as gunicorn reads it; no invalid one does."""
    data = case["data"].encode("latin-1")
    with wire(**case["settings"]) as own:
        expected = expected_of(own, data, TRUSTED)
        read = own.read([data], TRUSTED)
        assert read.requests == expected.requests
        assert (read.error or expected.error) == expected.error


@pytest.mark.parametrize("case", BY_NAME)
def test_where_the_bytes_are_cut_makes_no_difference(case: dict[str, Any]) -> None:
    """Split in two at every place, a stream gives the same requests."""
    data = case["data"].encode("latin-1")
    with wire(**case["settings"]) as own:
        whole = own.read([data], TRUSTED)
        for cut in splits(data):
            parts = own.read([data[:cut], data[cut:]], TRUSTED)
            assert parts.requests == whole.requests, cut


# What a proxy says in Script_Name, gunicorn holds against the path; ASGI knows no such field.
ATTACKS = [data for data in SMUGGLED if b"Script_Name" not in data]


@pytest.mark.parametrize("peer", [PEER, TRUSTED], ids=["stranger", "proxy"])
@pytest.mark.parametrize("data", ATTACKS)
def test_known_attacks_are_read_as_gunicorn_reads_them(data: bytes, peer: Any) -> None:
    """Ambiguous framing, odd targets and forged fields: the same requests, or none."""
    with wire() as own:
        expected = expected_of(own, data, peer)
        read = own.read([data], peer)
        assert read.requests == expected.requests
        assert (read.error or expected.error) == expected.error


@given(data=STREAMS, cut=st.integers(0, 400), trusted=st.booleans())
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_stream_is_read_more_leniently_than_by_gunicorn(
    data: bytes, cut: int, trusted: bool
) -> None:
    """Random streams of doubtful pieces: what is accepted, gunicorn accepts and reads alike."""
    peer = TRUSTED if trusted else PEER
    with wire() as own:
        expected = expected_of(own, data, peer)
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
        assert_no_more_lenient(own.read([damaged]), expected_of(own, damaged, PEER))
