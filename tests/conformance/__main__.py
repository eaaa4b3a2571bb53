"""Run CPython's test.test_asyncio against HubLoop and hold the result to the list of deviations.

    python -m tests.conformance [--jobs N] [MODULE …]

Prints passed, failed and skipped tests of each module and how often a HubLoop was run in it.
Fails when a test fails that deviations.toml does not list, twice, the second time with nothing
beside it; and when one passes that it lists.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.conformance.deviations import Deviations
from tests.conformance.modules import Report, modules, run_again, run_module


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("--jobs", type=int, default=2, help="modules run at a time (default: 2)")
    parser.add_argument("modules", nargs="*", help="such as test_tasks (default: all)")
    options = parser.parse_args()
    known = Deviations.read()
    with ThreadPoolExecutor(options.jobs) as pool:
        names = options.modules or modules()
        reports = list(pool.map(lambda name: run_module(name, known.not_run), names))
    for report in reports:
        if failed := known.unexpected_failures(report):
            print("run again, alone:", *failed)
            run_again(report, failed)
    show(reports)
    surprises = [line for report in reports for line in known.surprises(report)]
    print(*surprises, sep="\n", file=sys.stderr)
    return 1 if surprises else 0


def show(reports: list[Report]) -> None:
    print(f"Python {sys.version.split()[0]}, test.test_asyncio on HubLoop")
    print(f"{'':24}{'passed':>8}{'failed':>8}{'skipped':>8}{'loops run':>11}{'seconds':>9}")
    for report in reports:
        row = "".join(f"{report.count(kind):8}" for kind in ("passed", "failed", "skipped"))
        print(f"{report.module:24}{row}{report.loops:11}{report.seconds:9.1f}")
    passed, failed, skipped = (
        sum(report.count(kind) for report in reports) for kind in ("passed", "failed", "skipped")
    )
    share = 100 * passed / max(passed + failed, 1)
    print(f"{'all':24}{passed:8}{failed:8}{skipped:8}   {share:.2f} % of those that ran passed")


if __name__ == "__main__":
    sys.exit(main())
