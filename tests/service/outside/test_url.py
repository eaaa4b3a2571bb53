"""What is a URL of a web site, and what it is taken for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.outside.errors import Refused
from service.outside.url import parse


@pytest.mark.parametrize(
    "text, host, port, authority, target",
    [
        ("http://a.test", "a.test", 80, "a.test", "/"),
        ("HTTPS://A.Test?q#f", "a.test", 443, "a.test", "/?q"),
        ("http://a.test.:8080/b", "a.test", 8080, "a.test.:8080", "/b"),
        ("http://a.test:/", "a.test", 80, "a.test", "/"),
        ("http://[::1]:080/", "::1", 80, "[::1]:80", "/"),
        ("http://B\u00fccher.Test/\u00fc?%41 b", "xn--bcher-kva.test", 80, None, "/%C3%BC?%41%20b"),
        ("http://127\u30020\u30020\u30021/", "127.0.0.1", 80, "127.0.0.1", "/"),
        ("http://a.test\\@b.test/", "a.test", 80, "a.test", "/%5C@b.test/"),
        ("http://a.test/\r\nX: y", "a.test", 80, "a.test", "/%0D%0AX:%20y"),
    ],
)
def test_a_url_has_parts(
    text: str, host: str, port: int, authority: str | None, target: str
) -> None:
    """Names are compared in ASCII and lower case; what has no place in a request is quoted."""
    url = parse(text)
    assert (url.host, url.port, url.target) == (host, port, target)
    assert url.authority == (authority or host)


@pytest.mark.parametrize(
    "text",
    [
        "http://a b.test/",
        "http://a.test\r\nX: y/",
        "http://[::1\r\nX: y]/",
        "http://\u2100.test/",  # becomes a/c
        "http://fa\u00df.test/",
        "http://[::::]/",
        "http://a%2etest/",
        "http://a.test:x/",
        "http://@a.test/",
        "http://./",
    ],
)
def test_what_is_written_strangely_is_refused(text: str) -> None:
    """Nothing is guessed of a host, and nothing of it can become a line of a request."""
    with pytest.raises(Refused):
        parse(text)


@given(st.text(max_size=50), st.text(max_size=50))
def test_whatever_is_taken_can_be_sent(host: str, rest: str) -> None:
    """No text breaks the parser or gets a space or a line's end into a request."""
    try:
        url = parse(f"http://{host}/{rest}")
    except Refused:
        return
    assert re.fullmatch(r"[!-~]+", url.authority + url.target + url.fragment)
