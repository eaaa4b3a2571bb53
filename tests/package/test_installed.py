"""The wheel in environments that hold what it requires, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.package.environment import pip
from tests.tools.server import running

APPLICATIONS = """
import time
from colorless import go

def work():
    tasks = [go(time.sleep, 0.01) for _ in range(10)]
    for task in tasks:
        task.get()
    return b"it works"

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [work()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": work()})
"""

# What a program prints that uses tasks and coroutines: which modules it has loaded by then.
TASKS_AND_COROUTINES = """
from colorless.patch import patch_everything
patch_everything()
import asyncio, json, sys
from colorless import TaskGroup, await_, entered, fail_after, go, iterate, offload

async def answer():
    await asyncio.sleep(0)
    return 42

with fail_after(30), TaskGroup() as group:
    first, second = group.go(await_, answer()), go(offload, len, "four")
assert (first.get(), second.get()) == (42, 4)
print(json.dumps(sorted(sys.modules)))
"""


def run(python: Path, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the code in a folder that holds nothing."""
    return subprocess.run(
        [python, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_an_application_is_served(core: Path, tmp_path: Path, interface: str) -> None:
    """`colorless run` serves it with nothing installed but the wheel and what that requires."""
    (tmp_path / "hello.py").write_text(APPLICATIONS)
    command = ["colorless", "run", "--bind", "127.0.0.1:0", "--workers", "1", f"hello:{interface}"]
    with running(command, cwd=tmp_path, python=core) as server:
        assert requests.get(server.url, timeout=30).text == "it works"
        assert server.stop() == 0


def test_the_command_is_there(core: Path, tmp_path: Path) -> None:
    """The wheel brings the command ``colorless``, which says its version."""
    done = subprocess.run(
        [core.parent / "colorless", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.startswith("colorless "), done.stderr


@pytest.mark.parametrize("name", ["core", "full"])
def test_the_ranges_hold_what_the_tests_run_with(name: str, request: pytest.FixtureRequest) -> None:
    """The versions that are tested are within the ranges that the wheel asks for."""
    assert "No broken requirements found" in pip(request.getfixturevalue(name), "check")


def test_tasks_and_coroutines_need_no_server_and_no_database(core: Path, tmp_path: Path) -> None:
    """A program that uses ``go`` and ``await_`` loads neither gunicorn nor psycopg2."""
    done = run(core, TASKS_AND_COROUTINES, tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = {module.partition(".")[0] for module in json.loads(done.stdout)}
    assert loaded & {"gunicorn", "httptools", "psycopg2", "psycogreen", "flask"} == set()


def test_psycopg2_waits_green_although_it_comes_later(full: Path, tmp_path: Path) -> None:
    """What the patch does not load it still patches, when the program loads it."""
    code = TASKS_AND_COROUTINES + (
        "assert 'psycopg2' not in sys.modules\n"
        "import psycopg2.extensions\n"
        "assert psycopg2.extensions.get_wait_callback() is not None"
    )
    done = run(full, code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "module, lacks, extra",
    [
        ("colorless.postgres", "psycopg2", "postgres"),
        ("colorless.postgres.pool", "psycopg2", "postgres"),
        ("colorless.flask", "flask", "flask"),
    ],
)
def test_what_is_missing_is_named(
    core: Path, tmp_path: Path, module: str, lacks: str, extra: str
) -> None:
    """The error ends with the line that installs what a module needs."""
    done = run(core, f"import {module}", tmp_path)
    said = done.stderr.splitlines()[-1]
    assert said.startswith("ModuleNotFoundError: colorless.")
    assert f"needs {lacks}" in said
    assert said.endswith(f"pip install 'colorless-io[{extra}]'")


@pytest.mark.parametrize("module", ["colorless.postgres", "colorless.flask", "colorless.http"])
def test_all_is_there_with_the_extra_all(full: Path, tmp_path: Path, module: str) -> None:
    """With ``colorless-io[all]`` nothing is missing."""
    done = run(full, f"import {module}", tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_program_is_type_checked(full: Path, tmp_path: Path) -> None:
    """mypy, strict, infers every type of a program from the installed wheel, and finds each wrong
    call: a ``type: ignore`` without an error is an error."""
    program = tmp_path / "program.py"
    program.write_text(Path(__file__).with_name("typed_program.py").read_text())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--warn-unreachable"),
            *("--config-file=", f"--cache-dir={tmp_path / 'cache'}"),
            *("--python-executable", full, program),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
