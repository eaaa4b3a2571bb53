"""What the lab's commands do, one function each."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from comparison import conformance, install, machine, roster
from comparison import report as reports
from comparison import table as tables
from comparison.backends import Backends
from comparison.experiments import Plan, plan
from comparison.paths import RESULTS
from comparison.process import serving
from comparison.roster import Contender
from comparison.runner import Record, Runner, seconds_of

console = Console(highlight=False)


def install_all(only: str) -> dict[Contender, dict[str, str]]:
    """Make the lab and the named contenders ready; those that are, with their environments."""
    with console.status("installing the lab's tools"):
        install.lab()
    ready: dict[Contender, dict[str, str]] = {}
    for contender in roster.named(only):
        try:
            with console.status(f"installing {contender.name}"):
                ready[contender] = install.contender(contender)
        except install.Absent as missing:
            console.print(f"absent: {contender.name}: {missing}")
    return ready


def check(only: str) -> None:
    """Hold contenders to the contract. Raises RuntimeError when one breaks it."""
    ready = install_all(only)
    server_cpus, load_cpus = machine.split_cpus()
    with Backends(load_cpus) as backends:
        passed = _conforming(ready, backends, server_cpus)
    if broken := [contender.name for contender in ready if contender not in passed]:
        raise RuntimeError(f"outside the contract: {', '.join(broken)}")


def run(only: str, claim: str, quick: bool, rounds: int, fresh: bool) -> None:
    """Measure a plan and write its report; goes on with the newest unfinished run of that plan."""
    chosen = plan(claim, quick, rounds)
    ready = install_all(only)
    server_cpus, load_cpus = machine.split_cpus()
    machine.prepare(load_cpus)
    settings: dict[str, object] = {"only": only, "claim": claim, "quick": quick}
    with Backends(load_cpus) as backends:
        passed = _conforming(ready, backends, server_cpus)
        about = {**settings, "contenders": sorted(one.name for one in passed)}
        folder = _folder(about, machine.describe(server_cpus, load_cpus), fresh)
        record = Record(folder)
        with _progress(chosen, len(passed), record) as tell:
            Runner(backends, record, server_cpus, load_cpus, tell).run(chosen, passed)
    (folder / "finished").touch()
    report(folder)


def report(folder: Path | None) -> None:
    """Write report.md and report.html into the folder of a run."""
    folder = folder or reports.newest(RESULTS)
    for path in reports.write(folder):
        console.print(f"wrote {path}")


def table(target: Path | None) -> None:
    """Print the README's table, or put it between the markers of a file."""
    text = tables.render(reports.newest(RESULTS))
    if target is None:
        print(text)
    else:
        target.write_text(tables.inserted(target.read_text(), text))


def _conforming(
    ready: dict[Contender, dict[str, str]], backends: Backends, cpus: set[int]
) -> dict[Contender, dict[str, str]]:
    """Those that pass the contract, each shown with what it does wrong."""
    passed = {}
    for contender, environment in ready.items():
        try:
            with serving(contender, backends, environment, cpus) as server:
                found = conformance.violations(server, backends)
        except (RuntimeError, OSError) as error:
            found = [str(error)]
        console.print(f"contract: {contender.name}: {'; '.join(found) or 'holds'}", soft_wrap=True)
        if not found:
            passed[contender] = environment
    return passed


def _folder(about: dict[str, object], machine: dict[str, str], fresh: bool) -> Path:
    """The folder of an unfinished run of the same kind, or a new one named after the time."""
    for path in sorted(RESULTS.glob("*/run.json"), reverse=True):
        known = json.loads(path.read_text())
        same = {name: known.get(name) for name in about} == about
        if not fresh and same and not (path.parent / "finished").exists():
            console.print(f"going on with {path.parent.name}")
            return path.parent
    now = datetime.now(UTC)
    folder = RESULTS / now.strftime("%Y-%m-%dT%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    text = {**about, "machine": machine, "started": now.isoformat(timespec="seconds")}
    (folder / "run.json").write_text(json.dumps(text, indent=2) + "\n")
    return folder


@contextmanager
def _progress(
    chosen: Plan, contenders: int, record: Record
) -> Iterator[Callable[[str, float], None]]:
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=seconds_of(chosen, contenders, record))

        def tell(line: str, seconds: float) -> None:
            if line:
                bar.update(task, description=line)
            bar.advance(task, seconds)

        yield tell
