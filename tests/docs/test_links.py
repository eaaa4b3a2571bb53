"""Every link of a page leads somewhere."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it.token import Token

from tests.docs.pages import ROOT, name, tokens

PAGES = sorted(
    page
    for folder in (ROOT, ROOT / "docs", ROOT / "comparison")
    for page in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_files_find_them(page: Path) -> None:
    """The file is there, and below it the heading that the link names."""
    for target in links(page):
        if urlsplit(target).scheme:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{name(page)} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{name(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_other_sites_are_urls(page: Path) -> None:
    """There is no network to follow them here; they are well formed, and encrypted."""
    for target in links(page):
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme == "https", f"{name(page)} links to {target}"
            assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.hostname or ""), target


def test_a_heading_is_linked_to_by_its_words() -> None:
    """As the site and code hosts make anchors."""
    assert slug("What `patch_everything()` changes") == "what-patch_everything-changes"
    assert slug("Deadlines, kills, and the query") == "deadlines-kills-and-the-query"


def links(page: Path) -> Iterator[str]:
    for token in inline(page):
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                yield str(child.attrGet("href") or child.attrGet("src"))


def anchors(page: Path) -> set[str]:
    """What links to a page's headings end in."""
    found = tokens(page)
    headings = [after for each, after in pairwise(found) if is_heading(each)]
    return {slug(heading.content) for heading in headings}


def inline(page: Path) -> Iterator[Token]:
    return (token for token in tokens(page) if token.type == "inline")


def is_heading(token: Token) -> bool:
    return token.type == "heading_open"


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
