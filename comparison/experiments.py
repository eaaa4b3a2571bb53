"""The claims of the debate, and the cells that decide them, as data.

A cell is one thing measured on one running contender. Cells are shared: `/slow` at 2,000 serves
C2 and C5. Durations are for the full run; `quick` shortens a plan to about three minutes.
"""

from dataclasses import dataclass, replace
from enum import Enum

from comparison import contract
from comparison.contract import Endpoint


@dataclass(frozen=True)
class Claim:
    """A sentence that people say, to be judged by the data."""

    name: str
    text: str


CLAIMS = (
    Claim("C1", "A synchronous database blocks Python's event loop"),
    Claim("C2", "FastAPI's default thread pool handles it perfectly"),
    Claim("C3", "Mixing the colours needs duct tape"),
    Claim("C4", "I/O-heavy work: choose Node.js"),
    Claim("C5", "Massive concurrency without async/await: choose Go"),
    Claim("C6", "CPU-bound work: stay with Python"),
    Claim("C7", "What it costs: CPU and memory"),
)


class Kind(Enum):
    """How a cell is measured."""

    CLOSED = "closed loop"
    OPEN = "open loop"
    STREAMS = "open streams"


@dataclass(frozen=True)
class Cell:
    """One measurement of one contender.

    `connections` is the number of concurrent requests. A `probe` is asked 50 times a second in an
    open loop while the load runs. The rate of an open loop is `rate` requests a second, or that
    `share` of the capacity that the cell `of` found. `levels` are numbers of open streams, each
    adding to the last.
    """

    name: str
    claims: tuple[str, ...]
    about: str
    seconds: float
    kind: Kind = Kind.CLOSED
    endpoint: Endpoint | None = None
    connections: int = 64
    probe: Endpoint | None = None
    rate: float = 0
    share: float = 0
    of: str = ""
    levels: tuple[int, ...] = ()
    rounds: int = 5
    """In how many rounds it is measured: fewer where differences are large, so that all fits
    into half an hour."""

    @property
    def expected_seconds(self) -> float:
        """About how long it takes with everything around it, for the time left. Measured."""
        if self.levels:
            return 6 + (2 + self.seconds) * len(self.levels) + sum(self.levels[-1:]) / 2000
        return 0.3 + self.seconds


PREVIEW = Endpoint("preview", "GET /preview?url=", "", contract.slow(0))
"""Stands for the preview route; its sample needs the stub's address (contract.endpoints)."""

LIVEZ, ROW = contract.LIVEZ, contract.MESSAGE


def _slow(connections: int, seconds: float, rounds: int, *claims: str) -> Cell:
    about = f"{connections:,} concurrent 50 ms queries"
    name = f"slow-{connections}"
    return Cell(
        name,
        ("C2", *claims, "C7"),
        about,
        seconds,
        endpoint=contract.SLOW,
        connections=connections,
        probe=LIVEZ,
        rounds=rounds,
    )


def _open(percent: int, seconds: float = 1) -> Cell:
    about = f"one row, at {percent} % of its own capacity"
    return Cell(
        f"open-{percent}",
        ("C4",),
        about,
        seconds,
        kind=Kind.OPEN,
        endpoint=ROW,
        connections=256,
        share=percent / 100,
        of="message",
    )


SAME_LOAD = Cell(
    "open-1500",
    ("C4",),
    "one row, at 1,500 requests a second",
    3,
    kind=Kind.OPEN,
    endpoint=ROW,
    connections=256,
    rate=1500,
)
"""The same load for all. Guessed: a good half of what the async variant manages."""


def _work(endpoint: Endpoint, seconds: float = 1, connections: int = 64, rounds: int = 5) -> Cell:
    about = endpoint.about or "a call to the outside (100 ms) and an insert, 1,000 at a time"
    return Cell(
        endpoint.name,
        ("C4", "C7"),
        about,
        seconds,
        endpoint=endpoint,
        connections=connections,
        rounds=rounds,
    )


CELLS = (
    _work(ROW),
    _open(50),
    _open(70, seconds=3),
    _open(90),
    SAME_LOAD,
    _work(contract.JSON, rounds=2),
    _work(contract.HISTORY),
    _work(contract.POST),
    _work(contract.HOME),
    Cell(
        "mixed",
        ("C3", "C7"),
        "a NATS request, then a 20 ms query",
        1,
        endpoint=contract.MIXED,
        connections=100,
        probe=LIVEZ,
    ),
    Cell(
        "login",
        ("C6",),
        "one row a request, with 4 logins at a time in the background",
        2,
        endpoint=contract.LOGIN,
        connections=4,
        probe=ROW,
        rounds=3,
    ),
    _work(PREVIEW, 4, connections=1000, rounds=3),
    _slow(10, 1, 2),
    _slow(100, 2, 5, "C1"),
    _slow(500, 1, 3),
    _slow(2000, 3, 3, "C5"),
    Cell(
        "streams",
        ("C5",),
        "open event streams",
        2,
        kind=Kind.STREAMS,
        levels=(1000, 5000, 10_000),
        rounds=1,
    ),
)
"""In the order they run: what may leave a backlog behind comes last."""

ROUNDS = 5
QUICK_LEAVES_OUT = ("open-50", "open-90", "slow-500")


@dataclass(frozen=True)
class Plan:
    """What one run measures."""

    cells: tuple[Cell, ...]
    rounds: int
    quick: bool


def plan(claim: str = "", quick: bool = False, rounds: int = ROUNDS) -> Plan:
    """The cells of one claim, or of all; a quick plan is one short round.

    Raises ValueError, with the claims there are, for one that is not among them.
    """
    names = [one.name for one in CLAIMS]
    if claim and claim not in names:
        raise ValueError(f"no claim {claim}: there are {', '.join(names)}")
    cells = tuple(cell for cell in CELLS if not claim or claim in cell.claims)
    # An open loop needs the capacity of the cell it is a share of.
    needed = {cell.of for cell in cells} - {cell.name for cell in cells} - {""}
    cells = tuple(cell for cell in CELLS if cell in cells or cell.name in needed)
    if not quick:
        return Plan(cells, rounds, quick)
    kept = [cell for cell in cells if cell.name not in QUICK_LEAVES_OUT]
    return Plan(tuple(map(_shortened, kept)), 1, quick)


def _shortened(cell: Cell) -> Cell:
    # A thousand connections are not even open in one second.
    seconds = 2 if cell.connections >= 1000 else 1
    return replace(cell, seconds=seconds, rounds=1, levels=cell.levels[:1])
