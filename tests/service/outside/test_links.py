"""Which links a text has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chat.links import MAX_LINKS, links


@pytest.mark.parametrize(
    "body, urls",
    [
        ("no link", []),
        ("see http://a.test", ["http://a.test"]),
        ("HTTPS://A.Test/B is loud", ["HTTPS://A.Test/B"]),
        ("a full stop: http://a.test/b.", ["http://a.test/b"]),
        ("(in brackets http://a.test/b)", ["http://a.test/b"]),
        ("http://a.test/wiki/It_(novel)", ["http://a.test/wiki/It_(novel)"]),
        ("*http://a.test/b*, or [that](http://c.test/d)!", ["http://a.test/b", "http://c.test/d"]),
        ("<http://a.test/b>\nhttp://a.test/b", ["http://a.test/b"]),
        (
            "http://a.test/?q=1&r=2#s, http://a.test:8080/",
            ["http://a.test/?q=1&r=2#s", "http://a.test:8080/"],
        ),
        ("http://bücher.test/ü", ["http://bücher.test/ü"]),
        ("http:// https:// ftp://a.test xhttp://a.test mailto:a@b.test", []),
        ("http://user:secret@a.test/ http://user@a.test/", []),
        ("http://[ http://[::1/ http://a.test:port/", []),
        ("http://a.test/" + "x" * 2000, []),
    ],
)
def test_links_are_found_as_they_stand(body: str, urls: list[str]) -> None:
    """Each link once, in order, without the punctuation around it."""
    assert [link.url for link in links(body)] == urls


def test_the_host_is_named_as_hosts_are_compared() -> None:
    """Whoever counts visits to a host counts one host."""
    assert [link.host for link in links("http://A.test http://a.TEST:80/ http://[::1]/")] == [
        "a.test",
        "a.test",
        "::1",
    ]


def test_a_text_of_links_has_a_few() -> None:
    """One message does not make the service call a hundred sites."""
    body = " ".join(f"http://{number}.test/" for number in range(100))
    assert [link.host for link in links(body)] == [f"{number}.test" for number in range(MAX_LINKS)]


@given(st.text(alphabet="htps:/.[]()@%a1 \n", max_size=300).map(lambda text: "http://" + text))
def test_no_text_is_too_strange(body: str) -> None:
    """Whatever stands there, a link is part of it."""
    for link in links(body):
        assert link.url in body
