"""Who takes part: one folder under `contenders/` each, described by its contender.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from comparison.paths import CONTENDERS


@dataclass(frozen=True)
class Contender:
    """One way to serve the contract."""

    name: str
    title: str
    subtitle: str
    toolchain: str
    """`python`, `node` or `go`: decides how install.py makes it ready."""
    order: int
    sources: tuple[Path, ...]
    """The files whose lines and colour words C3 counts."""
    one_at_a_time: bool
    """It never has two queries in flight."""

    @property
    def folder(self) -> Path:
        """Where its app, its pins, its start script and its README are."""
        return CONTENDERS / self.name


def everyone() -> list[Contender]:
    """All contenders, in the order of the report."""
    found = [_read(path) for path in CONTENDERS.glob("*/contender.toml")]
    return sorted(found, key=lambda contender: contender.order)


def named(names: str) -> list[Contender]:
    """The contenders of a comma-separated list; all of them for an empty one.

    Raises ValueError, with the names there are, for one that is not among them.
    """
    known = {contender.name: contender for contender in everyone()}
    wanted = [name for name in names.split(",") if name]
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"no contender {', '.join(unknown)}: there are {', '.join(known)}")
    return [known[name] for name in known if not wanted or name in wanted]


def _read(path: Path) -> Contender:
    data = tomllib.loads(path.read_text())
    return Contender(
        name=path.parent.name,
        title=data["title"],
        subtitle=data["subtitle"],
        toolchain=data["toolchain"],
        order=data["order"],
        sources=tuple(sorted(path.parent.glob(data.get("app", "app.py")))),
        one_at_a_time=data.get("one_at_a_time", False),
    )
