"""The pages that people read, and the code blocks in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
_FILE = re.compile(r"(?:#|--) ([\w.-]+\.\w+|Dockerfile)")


def name(path: Path) -> str:
    """A page as a person would write it."""
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A code block: its language, its text, and the line of the page that its text begins in."""

    language: str
    text: str
    line: int
    not_run: str | None
    """Why it is not run: what a comment before it says."""

    @property
    def file(self) -> str | None:
        """The file that it is the content of, if its first line names one."""
        found = _FILE.fullmatch(self.text.partition("\n")[0].strip())
        return found[1] if found else None


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> Iterator[Block]:
    """All of a page's code blocks, in their order."""
    reason: str | None = None
    for token in tokens(page):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            # Markdown's lines begin with 0, and a fence has a line of its own before the text.
            yield Block(token.info.strip(), token.content, token.map[0] + 2, reason)
        found = _NOT_RUN.match(token.content) if token.type == "html_block" else None
        reason = found[1] if found else None
