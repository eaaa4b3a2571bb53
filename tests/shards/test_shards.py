"""The runner of the suite tells the truth about it, whatever a test does to its process."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import gevent
import psutil
import pytest

from tests.shards.plan import Plan

ROOT = Path(__file__).parents[2]

PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert 'this' == 'that'\n"
DIES = "import os\ndef test_dies(): os._exit(3)\n"
ORDER = "".join(f"def test_{n}(): print('ran {n}', file=open('ran', 'a'))\n" for n in range(8))


class Suite:
    """A suite of a few small files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, **sources: str) -> None:
        for name, source in sources.items():
            (self.folder / f"test_{name}.py").write_text(source)

    def start(self, *args: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.shards", *args],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a second of each start
                "PYTHONPATH": str(ROOT),
                "SHARDS": "2",
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *args: str, **env: str) -> tuple[int, str]:
        """The exit status, and what was printed."""
        process = self.start(*args, **env)
        printed = process.communicate(timeout=100)[0]
        return process.returncode, printed


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def last_line(printed: str) -> str:
    return printed.splitlines()[-1]


def test_a_suite_that_passes(suite: Suite) -> None:
    """The last line counts, the exit status is 0, and the durations are kept."""
    suite.files(one=PASSES, two=PASSES)
    status, printed = suite.run()
    assert (status, last_line(printed)) == (0, "2 passed, 0 failed")
    assert (suite.folder / ".pytest_cache" / "shards" / "durations.json").exists()


def test_fixtures_of_a_folder_are_there_for_each_of_its_files(suite: Suite) -> None:
    """Those of a ``conftest.py``, in whichever order the files are dealt out."""
    conftest = "import pytest\n@pytest.fixture(scope='session')\ndef moon(): return 1\n"
    (suite.folder / "conftest.py").write_text(conftest)
    inner = suite.folder / "inner"
    inner.mkdir()
    (inner / "conftest.py").write_text(conftest.replace("moon", "mars"))
    for name in "abc":
        suite.files(**{name: f"def test_{name}(moon): assert moon == 1\n"})
        (inner / f"test_in_{name}.py").write_text(
            "def test_both(moon, mars): assert moon == mars\n"
        )
    assert suite.run(SHARDS="1")[1].splitlines()[-1] == "6 passed, 0 failed"


def test_what_is_skipped_whole_is_told_once(suite: Suite) -> None:
    """A file that skips itself is found by each shard, and counted once."""
    suite.files(one=PASSES, two="import pytest\npytest.skip('no sun', allow_module_level=True)\n")
    status, printed = suite.run()
    assert (status, last_line(printed)) == (0, "1 passed, 0 failed")
    assert printed.count("no sun") == 1


def test_failures_are_printed_and_counted(suite: Suite) -> None:
    """A failed test and a file that cannot be imported count; a skipped test says why."""
    skips = "import pytest\ndef test_skips(): pytest.skip('no moon')\n"
    suite.files(one=PASSES, two=FAILS, three="import nowhere_to_be_found\n", four=skips)
    status, printed = suite.run()
    assert (status, last_line(printed)) == (1, "1 passed, 2 failed")
    assert "assert 'this' == 'that'" in printed
    assert "nowhere_to_be_found" in printed
    assert "no moon" in printed
    assert "FAILED test_two.py::test_fails" in printed


STANDS_STILL = """
import os, signal, time
def stand_still():
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(1)
    os.kill(os.getppid(), signal.SIGCONT)
    time.sleep(0.5)
def test_late():
    with open("tried", "a") as file:
        print("once", file=file)
    stand_still()
    assert CONDITION
"""


@pytest.mark.parametrize(
    "condition, line, tried",
    [("os.path.getsize('tried') > 5", "1 passed, 0 failed", 2), ("False", "0 passed, 1 failed", 4)],
)
def test_what_fails_while_the_machine_stands_still_runs_again(
    suite: Suite, condition: str, line: str, tried: int
) -> None:
    """Alone, a few times, and the last time counts."""
    suite.files(late=STANDS_STILL.replace("CONDITION", condition))
    _, printed = suite.run()
    assert last_line(printed) == line
    assert "failed while the machine stood still, runs again: test_late.py::test_late" in printed
    assert (suite.folder / "tried").read_text().split() == ["once"] * tried


def test_a_process_that_dies_takes_one_test_with_it(suite: Suite) -> None:
    """The test that killed it has failed; the files behind it run in another process."""
    suite.files(a_dies=DIES, b=PASSES, c=PASSES, d=PASSES)
    status, printed = suite.run(SHARDS="1")
    assert (status, last_line(printed)) == (1, "3 passed, 1 failed")
    assert "FAILED test_a_dies.py::test_dies" in printed


def test_arguments_are_those_of_pytest(suite: Suite) -> None:
    """Folders, files, tests and options choose what runs; a wrong one is pytest's error."""
    suite.files(one=PASSES + FAILS, two=FAILS)
    assert last_line(suite.run("test_one.py", "-k", "passes")[1]) == "1 passed, 0 failed"
    assert last_line(suite.run("test_one.py::test_passes")[1]) == "1 passed, 0 failed"
    status, printed = suite.run("--no-such-option")
    assert status == 4
    assert "unrecognized arguments: --no-such-option" in printed
    assert suite.run("-k", "nothing_has_this_name")[0] == 5


def test_it_can_stop_at_the_first_failure(suite: Suite) -> None:
    """After ``-x`` and a failure no file is begun."""
    suite.files(a=FAILS, b=FAILS, c=FAILS, d=FAILS)
    assert last_line(suite.run("-x", SHARDS="1")[1]) == "0 passed, 1 failed"


def test_a_random_order_can_be_had_again(suite: Suite) -> None:
    """One seed is one order, of the files and of the tests in each."""
    suite.files(one=ORDER, two=ORDER)
    orders = []
    for seed in ("7", "7", "8"):
        (suite.folder / "ran").unlink(missing_ok=True)
        _, printed = suite.run(SHARDS="1", ORDER="random", SEED=seed)
        assert f"SEED={seed}" in printed
        orders.append((suite.folder / "ran").read_text())
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_all_that_it_started(suite: Suite, number: int) -> None:
    """Ctrl-C and SIGTERM let the shards clean up, and leave no process."""
    stays = "import time\ndef test_stays(tmp_path): open('there', 'w').close(); time.sleep(90)\n"
    suite.files(one=PASSES, two=stays)
    process = suite.start()
    with gevent.Timeout(60):
        while not (suite.folder / "there").exists():
            gevent.sleep(0.05)
    shards = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert not psutil.wait_procs(shards, timeout=10)[1]
    assert re.fullmatch(r"1 passed, \d failed", last_line(printed))


def test_the_longest_file_comes_first() -> None:
    """A file of unknown length is taken for one of middle length."""
    plan = Plan({"test_short.py": 1.0, "test_long.py": 9.0}, 5.0, None)
    plan.begin(["test_short.py", "test_long.py", "test_new.py"])
    names = [plan.next() for _ in range(3)]
    assert names == ["test_long.py", "test_new.py", "test_short.py"]
    assert plan.next() is None
