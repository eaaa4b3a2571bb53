"""The site that ``make docs`` builds: whole, with every public name, and without a network."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.docs.pages import ROOT

PUBLIC = [
    "colorless",
    "colorless.bridge",
    "colorless.flask",
    "colorless.http",
    "colorless.loop",
    "colorless.lowlevel",
    "colorless.patch",
    "colorless.postgres",
    "colorless.tasks",
    "colorless.worker",
    "colorless.worker.asgi",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``make docs`` builds it, elsewhere."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return folder


def test_every_page_is_in_the_navigation(site: Path) -> None:
    """Each page of ``docs`` is a page of the site that the first page links to."""
    start = (site / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        address = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / address).is_file()
        assert f'href="{address}"' in start, address


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(site: Path, module: str) -> None:
    """Under this name, or under another that means the same."""
    documented = [resolve_name(path) for path in described(site)]
    public = import_module(module)
    missing = [
        name
        for name in public.__all__
        if not any(getattr(public, name) is each for each in documented)
    ]
    assert missing == []


def described(site: Path) -> set[str]:
    """The names that the reference has a heading for."""
    pages = [page.read_text() for page in (site / "reference").glob("*.html")]
    found = re.findall(r'<h\d id="(colorless\.[\w.]+)" class="doc', "".join(pages))
    return {path for path in found if path != "colorless.lowlevel"}


def test_no_markup_of_docstrings_is_left_over(site: Path) -> None:
    """Sphinx's roles have become links."""
    for page in (site / "reference").glob("*.html"):
        assert re.findall(r":(?:class|func|meth|param|raises)\b", page.read_text()) == [], page.name


def test_the_site_needs_no_network(site: Path) -> None:
    """No page fetches anything from elsewhere."""
    for page in site.rglob("*.html"):
        text = page.read_text()
        fetched = re.findall(r'<(?:script|img|iframe)[^>]* src="(?:https?:)?//[^"]*"', text)
        fetched += re.findall(r'<link[^>]* href="https?://[^"]*"[^>]*>', text)
        assert fetched == [], page.name
