"""The lab's commands.

python -m comparison run [--quick] [--only a,b] [--claim C1] [--rounds 5] [--fresh]
python -m comparison check [--only a,b]
python -m comparison install [--only a,b]
python -m comparison report [FOLDER]
python -m comparison table [--write README.md]
"""

import argparse
import sys
from pathlib import Path

from comparison import commands
from comparison.experiments import ROUNDS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m comparison", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(required=True)

    run = verbs.add_parser("run", help="measure, and write a report")
    run.add_argument("--quick", action="store_true", help="one short round, about three minutes")
    run.add_argument("--claim", default="", help="only what decides this claim, such as C1")
    run.add_argument("--rounds", type=int, default=ROUNDS, help="fewer take less time")
    run.add_argument("--fresh", action="store_true", help="do not go on with an unfinished run")
    run.set_defaults(call=lambda a: commands.run(a.only, a.claim, a.quick, a.rounds, a.fresh))

    check = verbs.add_parser("check", help="hold contenders to the contract")
    check.set_defaults(call=lambda a: commands.check(a.only))
    install = verbs.add_parser("install", help="make contenders ready to start")
    install.set_defaults(call=lambda a: commands.install_all(a.only))
    for verb in (run, check, install):
        verb.add_argument("--only", default="", help="contenders, separated by commas")

    report = verbs.add_parser("report", help="write the report of a run again")
    report.add_argument("folder", nargs="?", type=Path, help="default: the newest full result")
    report.set_defaults(call=lambda a: commands.report(a.folder))
    table = verbs.add_parser("table", help="the README's table, from the last full result")
    table.add_argument("--write", type=Path, help="put it between the markers of this file")
    table.set_defaults(call=lambda a: commands.table(a.write))

    chosen = parser.parse_args(arguments)
    try:
        chosen.call(chosen)
    except (ValueError, RuntimeError) as error:
        print(f"comparison: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("comparison: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
