"""The commands that pages name in their prose exist."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name, tokens
from tests.docs.test_links import PAGES

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# Options before the target, and what comes in front of a command.
MAKE = re.compile(r"(?:\w+=\S+ )*make (?:[A-Z]+=\S+ )*([a-z-]+)")
MODULE = re.compile(r"(?:\S*/)?python3? -m ([\w.]+)")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_has_the_targets(page: Path) -> None:
    """As in ``make test``."""
    named = {found[1] for code in inline_code(page) if (found := MAKE.match(code))}
    assert named - TARGETS == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_has_the_modules(page: Path) -> None:
    """As in ``python -m comparison.micro.tasks``."""
    named = {found[1] for code in inline_code(page) if (found := MODULE.match(code))}
    assert {module for module in named if find_spec(module) is None} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_files_are_there(page: Path) -> None:
    """Those that are named with their folder, as in ``tests/patched.py``."""
    paths = {
        code
        for code in inline_code(page)
        if re.fullmatch(r"(colorless|comparison|docs|service|tests)/[\w./-]*\w", code)
    }
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def inline_code(page: Path) -> Iterator[str]:
    for token in tokens(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content
