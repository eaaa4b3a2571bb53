"""What is read out of HTML, friendly and hostile."""

import pytest

from service.outside.errors import UnusableResponse
from service.outside.html_metadata import PageMetadata, extract
from tests.tools.ticker import Ticker

URL = "https://site.test/news/today"


def of(html: str, url: str = URL) -> PageMetadata:
    return extract(html.encode(), "text/html; charset=utf-8", url)


def test_open_graph_comes_first_then_twitter_then_html() -> None:
    """What a page says for this purpose counts before what it says for others."""
    plain = '<title>plain</title><meta name="description" content="plain text">'
    twitter = '<meta name="twitter:title" content="card"><meta name=twitter:image content=/t.png>'
    graph = """<meta property="og:title" content="graph"><meta property="og:image" content="g.png">
        <meta property="og:description" content="d"><meta property="og:site_name" content="s">"""
    assert of(plain) == PageMetadata("plain", "plain text", None, None)
    assert of(plain + twitter) == PageMetadata(
        "card", "plain text", "https://site.test/t.png", None
    )
    assert of(plain + twitter + graph) == PageMetadata(
        "graph", "d", "https://site.test/news/g.png", "s"
    )


def test_an_empty_word_gives_way_to_the_next_source() -> None:
    """A site that fills in nothing, or only space, is not taken at its word."""
    assert of('<meta property="og:title" content=" "><title>real</title>').title == "real"


def test_the_first_title_counts_wherever_the_head_ends() -> None:
    """Tags that do not belong into a head do not hide what stands behind them."""
    html = "<head><noscript><img src=x></noscript><title>a</title><svg><title>b</title></svg>"
    assert of(html + '<meta property="og:description" content="late">') == PageMetadata(
        "a", "late", None, None
    )


def test_texts_are_made_one_line_of_a_bounded_length() -> None:
    """Nothing in a preview breaks the line, turns the direction or goes on for ever."""
    page = of(
        f"<title>a\n\t b\u202egnp.exe &#0; \x07 &lt;b&gt; 👩\u200d🚀</title>"
        f'<meta name=description content="{"x" * 5000}">'
    )
    assert page.title == "a bgnp.exe �  <b> 👩\u200d🚀"
    assert page.description is not None
    assert (len(page.description), page.description[-1]) == (1000, "…")


@pytest.mark.parametrize(
    "image", ["javascript:alert(1)", "data:image/png;base64,AA", "http://[", "", "x" * 2001]
)
def test_an_image_that_is_no_web_address_is_left_out(image: str) -> None:
    """The rest of the preview is shown without it."""
    assert of(f'<title>t</title><meta property="og:image" content="{image}">') == PageMetadata(
        "t", None, None, None
    )


@pytest.mark.parametrize(
    "content, kind",
    [
        ("<title>grüße</title>".encode(), "text/html"),
        ("<title>grüße</title>".encode("utf-8-sig"), "text/html; charset=windows-1252"),
        ("<title>grüße</title>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ("<title>grüße</title>".encode("latin-1"), 'text/html; charset="ISO-8859-1"'),
        (b"<meta charset=latin1>" + "<title>grüße</title>".encode("latin-1"), "text/html"),
        ("<meta charset=latin1><title>grüße</title>".encode(), "text/html; charset=utf-8"),
        ("<title>grüße</title>".encode("utf-16"), "text/html"),
        ("<title>grüße</title>".encode(), "text/html; charset=rot13"),
        ("<title>grüße</title>".encode(), "text/html; charset=no-such"),
        ("<title>grüße</title>".encode(), "Application/XHTML+XML"),
    ],
)
def test_the_text_is_decoded_as_browsers_do(content: bytes, kind: str) -> None:
    """A byte-order mark counts, then the header, then the page; what is no encoding is UTF-8."""
    assert extract(content, kind, URL).title == "grüße"


def test_what_is_no_html_is_a_bad_answer() -> None:
    """Other types are not looked into, nor is a page without a title a preview."""
    for kind in ("image/png", "application/json", "text/plain", ""):
        with pytest.raises(UnusableResponse, match="no HTML page"):
            extract(b"<title>t</title>", kind, URL)
    for content in (b"", b"<p>no title</p>", b"\x00\xff\xfe", b"<title> </title>"):
        with pytest.raises(UnusableResponse, match="no title"):
            extract(content, "text/html", URL)


_LENGTH = 256 * 1024
_HOSTILE = {
    "nesting": "<div>",
    "formatting": "<p><b><i><u><a>",
    "tables": "<table><td>",
    "metas": '<meta property="og:title" content=" ">',
    "open metas": '<meta "',
    "open comments": "<!--",
    "open tags": "<",
    "declarations": "<!",
    "end tags": "</titl",
    "entities": "&amp",
    "cdata": "<![CDATA[",
    "templates": "<svg><foreignObject><template>",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", _HOSTILE)
def test_a_hostile_page_holds_nobody_up(what: str) -> None:
    """The longest page there can be, made to be slow to parse, is parsed while others run.

    Parsers that take the square of its length would take minutes for some of these.
    """
    html = "<title>t</title>" + _HOSTILE[what] * (_LENGTH // len(_HOSTILE[what]))
    with Ticker(interval=0) as ticker:
        assert of(html).title == "t"
    assert ticker.count >= _LENGTH // (8 * 1024) - 1  # a turn for the others after each piece


def test_a_tag_with_thousands_of_attributes_is_parsed() -> None:
    """Looking for doubles among them is not quadratic either."""
    attributes = " ".join(f"a{number}=1" for number in range(_LENGTH // 8))
    assert of(f"<title>t</title><div {attributes}>").title == "t"
