"""Run Autobahn's cases, and compare what comes out with what is known.

The suite is a Python 2 program: give the path of its ``wstest``, from an environment such as

    virtualenv --python python2.7 DIRECTORY && DIRECTORY/bin/pip install autobahntestsuite

All cases but those of compression take a minute; of those, eight of each kind are tried.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.tools.server import running

WORKER = "colorless.worker.asgi.ASGIWorker"
BEHIND = "an error behind a message in one packet: it is told before the echo can be"
IN_A_FRAME = "text that is wrong in the middle of a frame, which is looked at when it is whole"
# Cases that may be "non-strict", and why. All others are "OK", or no question of right and wrong.
NON_STRICT = {
    **dict.fromkeys(["3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "5.15"], BEHIND),
    **dict.fromkeys(["4.2.3", "4.2.4", "4.2.5"], BEHIND),
    **dict.fromkeys(["6.4.3", "6.4.4"], IN_A_FRAME),
}
PLAIN = [f"{chapter}.*" for chapter in (1, 2, 3, 4, 5, 6, 7, 9, 10)]
KINDS = [f"12.{kind}" for kind in range(1, 6)] + [f"13.{kind}" for kind in range(1, 8)]
PACKED = [f"{kind}.{case}" for kind in KINDS for case in range(1, 9)]


def main() -> None:
    """Start the worker, run the cases, and say what is different; the status is 1 if anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn", description=__doc__)
    parser.add_argument("wstest", type=Path, help="the suite's program")
    parser.add_argument("cases", nargs="*", default=PLAIN + PACKED, help="such as 6.* or 7.1.5")
    options = parser.parse_args()
    results = run(options.wstest.resolve(), options.cases)
    different = {case: result for case, result in results.items() if not expected(case, result)}
    print(Counter(result["behavior"] for result in results.values()))
    for case, result in sorted(different.items()):
        print(f"{case}: {result['behavior']}, closing {result['behaviorClose']}")
    sys.exit(bool(different) or not results)


def run(wstest: Path, cases: list[str]) -> dict[str, Any]:
    """What the suite says of each case."""
    command = ["gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "-k", WORKER]
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PYTHONPATH": str(root)}
        app = "tests.autobahn.echo:app"
        with running([*command, app], cwd=Path(folder), env=environ) as server:
            spec = {
                "outdir": folder,
                "servers": [{"agent": "worker", "url": f"ws://127.0.0.1:{server.port}"}],
                "cases": cases,
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
            (Path(folder) / "spec.json").write_text(json.dumps(spec))
            subprocess.run(
                [wstest, "--mode", "fuzzingclient", "--spec", "spec.json"], cwd=folder, check=True
            )
        found: dict[str, Any] = json.loads((Path(folder) / "index.json").read_text())["worker"]
        return found


def expected(case: str, result: dict[str, Any]) -> bool:
    """Whether this is known, and right or excused."""
    behaviors = ["OK", "INFORMATIONAL", *(["NON-STRICT"] if case in NON_STRICT else [])]
    return result["behavior"] in behaviors and result["behaviorClose"] in ("OK", "INFORMATIONAL")


if __name__ == "__main__":
    main()
