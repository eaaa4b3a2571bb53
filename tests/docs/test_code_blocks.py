"""Every code block of the README and the documentation does what the page says."""

import json
import os
import socket
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from service.db.embedded import EmbeddedPostgres
from tests.docs import program
from tests.docs.console import Console
from tests.docs.pages import PAGES, Block, blocks, name

# What a page may show without its being run, beside the blocks that say why.
DATA: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads, "text": str}
RUN = {"python", "console"}
# Each is a promise that nobody checks.
MOST_NOT_RUN = 7
WIDTH = 84  # characters


@pytest.fixture
def env(embedded_server: EmbeddedPostgres) -> dict[str, str]:
    """The environment of a reader: PostgreSQL with an empty database ``app``, and a port."""
    connection = psycopg2.connect(embedded_server.url)
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("DROP DATABASE IF EXISTS app WITH (FORCE)")
        cursor.execute("CREATE DATABASE app")
        where = connection.get_dsn_parameters()
    finally:
        connection.close()
    programs = Path(sys.executable).parent
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": where["host"],
        "PGPORT": where["port"],
        "PGUSER": where["user"],
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def port() -> int:
    """A free port for the page's server, in place of 8000."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return int(holder.getsockname()[1])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_code_blocks_of_a_page_work(
    page: Path, tmp_path: Path, env: dict[str, str], port: int
) -> None:
    """In their order, from an empty folder: files, commands with what they print, Python."""
    env["GUNICORN_CMD_ARGS"] = f"--bind=127.0.0.1:{port} --workers=1"
    console = Console(tmp_path, env)
    python: list[Block] = []
    try:
        for block in blocks(page):
            if block.not_run is not None:
                continue
            text = block.text.replace(":8000", f":{port}")
            if block.file is not None:
                (tmp_path / block.file).write_text(text)
            elif block.language == "console":
                console.run(text)
            elif block.language == "python":
                python.append(Block("python", text, block.line, None))
            else:
                DATA[block.language](text)
        if python:
            program.run(page, python, tmp_path, env)
    finally:
        console.close()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_code_block_says_what_it_is(page: Path) -> None:
    """It names a language that is run or read here, or a comment above it says why it is not."""
    for block in blocks(page):
        known = block.language in RUN or block.language in DATA
        assert known or block.not_run, f"{name(page)}:{block.line}: {block.language!r}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_are_read_without_scrolling(page: Path) -> None:
    """Their lines fit into the site's column."""
    for block in blocks(page):
        long = [line for line in block.text.splitlines() if len(line) > WIDTH]
        assert long == [], f"{name(page)}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_shows_is_used(page: Path) -> None:
    """A command or a program behind it runs it or reads it."""
    shown = list(blocks(page))
    for number, block in enumerate(shown):
        if block.file is None or block.not_run is not None:
            continue
        stem = block.file.partition(".")[0]
        later = [other.text for other in shown[number + 1 :] if other.not_run is None]
        assert any(stem in text for text in later), f"{name(page)}:{block.line}: {block.file}"


def test_few_code_blocks_are_not_run() -> None:
    """There are no more of them than there were."""
    not_run = [
        f"{name(page)}:{block.line}: {block.not_run}"
        for page in PAGES
        for block in blocks(page)
        if block.not_run is not None
    ]
    assert len(not_run) <= MOST_NOT_RUN, "\n".join(not_run)
