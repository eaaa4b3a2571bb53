"""Whatever an application does while it is imported, it is told what it is, and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import gevent
import pytest

from colorless.cli.interface import InterfaceError
from colorless.cli.probe import interface_of_import

ROOT = Path(__file__).parents[3]

APP = "\ndef app(environ, start_response): ...\n"
FORKS = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n"
IMPORTS = {
    "threads": """
import _thread, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
_thread.start_new_thread(time.sleep, (60,))
""",
    "exit handlers": """
import atexit, time
atexit.register(time.sleep, 60)
atexit.register(print, "good-bye")
""",
    "output": """
import os, sys
print("asgi" * 100_000, end="")
os.write(1, b"{}")
sys.stdout.close()
""",
    "time": "import time\ntime.sleep(0.5)",
    "children": f"""
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "60"])
{FORKS}
if os.fork() == 0:
    raise SystemExit
""",
}


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "NOTED": str(tmp_path / "noted")}


@pytest.mark.parametrize("source", IMPORTS.values(), ids=list(IMPORTS))
def test_an_import_may_do_anything(tmp_path: Path, environ: Mapping[str, str], source: str) -> None:
    """Threads, exit handlers, output, children: the answer comes, and at once."""
    (tmp_path / "busy.py").write_text(source + APP)
    with gevent.Timeout(20, AssertionError("it hangs")):
        assert interface_of_import("busy:app", environ) == "wsgi"


@pytest.mark.parametrize(
    "source, says",
    [
        ("raise SystemExit(3)", "exits with 3"),
        ("import os\nos._exit(4)", "status 4"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "status -9"),
        ("print('my own words')\nraise ValueError('bad')", "ValueError: bad\n\nmy own words"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def app(", "SyntaxError"),
        ("app = 5", "callable"),
        ("def app(): ...", "busy:app()"),
    ],
)
def test_a_failure_has_a_reason(
    tmp_path: Path, environ: Mapping[str, str], source: str, says: str
) -> None:
    """The error names what went wrong, or what to write instead; it is never empty."""
    (tmp_path / "busy.py").write_text(source)
    with pytest.raises(InterfaceError) as refused:
        interface_of_import("busy:app", environ)
    assert says in str(refused.value)


def test_a_factory_that_is_called_is_served(tmp_path: Path, environ: Mapping[str, str]) -> None:
    """``module:create_app()`` is what the errors recommend."""
    (tmp_path / "busy.py").write_text(
        "def create_app(name='a'):\n    async def app(scope, receive, send): ...\n    return app\n"
    )
    assert interface_of_import("busy:create_app()", environ) == "asgi"


def test_an_import_has_a_time_limit(tmp_path: Path, environ: Mapping[str, str]) -> None:
    """After that the error says how to do without."""
    (tmp_path / "busy.py").write_text(
        "import time\nprint('loading', flush=True)\ntime.sleep(60)" + APP
    )
    with pytest.raises(InterfaceError, match=r"(?s)--interface wsgi.*loading"):
        interface_of_import("busy:app", environ, seconds=2)


NOTES = "with open(os.environ['NOTED'], 'a') as file:\n    print(os.getpid(), file=file)\n"
COMMAND = "import sys; from colorless.cli.main import main; sys.argv[0] = 'colorless'; main()"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_is_left_behind(tmp_path: Path, environ: Mapping[str, str], number: int) -> None:
    """When the command is ended while an import goes on, all that was started ends with it."""
    (tmp_path / "busy.py").write_text(FORKS + NOTES + "time.sleep(60)" + APP)
    noted = Path(environ["NOTED"])
    command = [sys.executable, "-c", COMMAND, "run", "--bind", "127.0.0.1:0", "busy:app"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        wait(lambda: noted.exists() and noted.read_text().endswith("\n"))
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    wait(lambda: not group_lives(int(noted.read_text())))


def test_an_answer_leaves_nothing_behind(tmp_path: Path, environ: Mapping[str, str]) -> None:
    """Children that were forked at import end when the answer is there."""
    (tmp_path / "busy.py").write_text(FORKS + NOTES + APP)
    assert interface_of_import("busy:app", environ) == "wsgi"
    leader = int(Path(environ["NOTED"]).read_text())
    wait(lambda: not group_lives(leader))


def wait(condition: Callable[[], bool]) -> None:
    last = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < last, "what the test waits for did not come about"
        gevent.sleep(0.02)


def group_lives(leader: int) -> bool:
    """Whether a process of this group is there, other than those that only wait to be reaped."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(group) == leader and state not in "ZX":
                return True
    return False
