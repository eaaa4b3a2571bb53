"""Writes report.md and report.html: which one, for my work; then each claim, then the method."""

from pathlib import Path

from comparison import blocks, details, plots
from comparison.blocks import Block, Heading, Paragraph, Picture, Points, Table
from comparison.ducttape import measure
from comparison.experiments import CLAIMS
from comparison.results import Results, newest
from comparison.short import in_short
from comparison.verdicts import judge
from comparison.wording import ms, rate

__all__ = ["newest", "write"]

TITLE = "Which one, for my work?"

Row = tuple[str, str, str, bool]
"""Kind of work, cell, metric, and whether more is better."""

WORK: tuple[Row, ...] = (
    ("Slow queries, 500 at a time, answered a second", "slow-500", "rate", True),
    ("/livez beside 100 slow queries, p99", "slow-100", "probe_p99", False),
    ("One indexed row, a second", "message", "rate", True),
    ("… p99 at 70 % of its own capacity", "open-70", "open_p99", False),
    ("… p99 at 1,500 a second", "open-1500", "open_p99", False),
    ("50 rows of history, a second", "history", "rate", True),
    ("Committed inserts, a second", "post", "rate", True),
    ("Four queries for a home page, a second", "home", "rate", True),
    ("Outside call of 100 ms and an insert, a second", "preview", "rate", True),
    ("Async-only library and sync query, a second", "mixed", "rate", True),
    ("10,000 open streams: how many opened", "streams-10000", "opened", True),
    ("… memory for each, KiB", "streams-10000", "kib", False),
    ("… a message reaches its readers, p99", "streams-10000", "delivery_p99", False),
    ("One row beside 4 logins at a time, p99", "login", "probe_p99", False),
    ("CPU for 1,000 single rows, ms", "message", "cpu", False),
    ("Memory after the run's work, MiB", "home", "memory", False),
)

METHOD = (
    "One server process per contender, pinned to one core. PostgreSQL, NATS, the stub of the "
    "outside world and the load generator share the other core. Absolute numbers are those of this "
    "small machine: compare ratios, and see where the other core was full.",
    "Capacity comes from a closed loop (wrk), latency from an open loop at a constant rate, where "
    "latency counts from the moment a request was due. Every answer is checked under load: by its "
    "status and first key in the closed loop, by its content in the open one.",
    "Same PostgreSQL 18 over TCP, same tables, same SQL, 200 connections at most for everyone. "
    "Each contender passed the contract before it was measured.",
    "Rounds go through the contenders forwards, then backwards. A figure is the median over "
    "rounds; the interval beside it holds the true median with the probability given, and assumes "
    "nothing about the distribution. CPU comes "
    "from the kernel's accounting of the process tree and includes start-up of connections.",
    "What this does not show: many cores, TLS, large answers, a database on another machine.",
)


def write(folder: Path) -> list[Path]:
    """Both files, from what stands in the folder; their paths."""
    results = Results(folder)
    content = _content(results)
    markdown, page = folder / "report.md", folder / "report.html"
    markdown.write_text(blocks.markdown(content, folder))
    page.write_text(blocks.page(TITLE, content))
    return [markdown, page]


def _content(r: Results) -> list[Block]:
    warnings = ["A quick run: one short round, for orientation only."] if r.about["quick"] else []
    warnings += [details.noise(r)] if r.neighbours > details.QUIET else []
    contenders = [f"{one.title}: {one.subtitle}" for one in r.contenders]
    return [
        Heading(TITLE, 1),
        Paragraph(
            f"{len(r.contenders)} ways to serve the same contract over the same PostgreSQL, "
            f"one core each, {r.rounds} round{'s' if r.rounds > 1 else ''}, "
            f"{' '.join([r.about['started'][:10] + '.', *warnings])}"
        ),
        Points(in_short(r)),
        _which_one(r),
        Paragraph(
            "Bold is the best of all, *underlined* the best in Python; the darker, the closer to "
            "the best of its row. Higher is better for rates, lower for the rest."
        ),
        Points(contenders),
        *_claims(r),
        Heading("Every cell, with its interval"),
        *details.tables(r),
        Heading("How it was measured, and what limits it"),
        Points(METHOD),
        *details.limits(r),
        Points([f"{name}: {value}" for name, value in r.about["machine"].items()]),
    ]


def _which_one(r: Results) -> Table:
    rows, shades = [], []
    for work, cell, metric, more in WORK:
        if column := r.column(cell, metric):
            row, shade = _work_row(r, column, metric, more)
            rows.append([work, *row])
            shades.append([None, *shade])
    return Table(["", *[one.title for one in r.contenders]], rows, shades)


def _work_row(
    r: Results, column: dict[str, float], metric: str, more: bool
) -> tuple[list[str], list[float | None]]:
    """The cells of one kind of work, the best of all and the best in Python marked."""
    best = max if more else min
    top = best(column.values())
    python = [one.name for one in r.contenders if one.toolchain == "python"]
    top_python = best((column[name] for name in python if name in column), default=None)
    row: list[str] = []
    shade: list[float | None] = []
    for one in r.contenders:
        value = column.get(one.name)
        text = "–" if value is None else _figure(value, metric)
        if value is not None and value == top:
            text = f"**{text}**"
        if value is not None and value == top_python and one.name in python:
            text = f"*{text}*"
        row.append(text)
        shade.append(None if value is None else _part(value, top, more))
    return row, shade


def _figure(value: float, metric: str) -> str:
    if metric.endswith(("p50", "p99")):
        return ms(value)
    if metric == "cpu":
        return f"{value * 1000:,.0f}"
    return f"{value:.1f}" if metric == "kib" else rate(value)


def _part(value: float, best: float, more: bool) -> float:
    """How close to the best, from 0 to 1."""
    if value <= 0 or best <= 0:
        return 0.0
    return value / best if more else best / value


def _claims(r: Results) -> list[Block]:
    verdicts = {verdict.claim: verdict for verdict in judge(r)}
    found: list[Block] = []
    for claim in CLAIMS:
        if (verdict := verdicts.get(claim.name)) is None:
            continue
        found.append(Heading(f"{claim.name} “{claim.text}”", tag=verdict.word))
        picture = _picture(claim.name, r)
        if claim.name == "C3":
            found.append(_tape(r))
        found += [picture] if picture else []
        found.append(Points(verdict.sentences))
    return found


def _picture(claim: str, r: Results) -> Picture | None:
    """The plot of a claim, if its cells were measured."""
    probe = ("probe_p50", "probe_p99")
    lit = ("open_p50", "open_p99")
    panels = [
        ("json", "no I/O at all"),
        ("message", "one row"),
        ("history", "50 rows"),
        ("post", "insert"),
        ("home", "four queries"),
        ("preview", "outside call, 1,000 at a time"),
    ]
    drawings = {
        "C1": lambda: plots.spans(r, [("slow-100", *probe, "/livez beside 100 slow queries")]),
        "C2": lambda: plots.scaling(r),
        "C3": lambda: plots.bars(r, [("mixed", "rate", "NATS request + 20 ms query, a second")]),
        "C4": lambda: plots.bars(r, [(cell, "rate", f"{text}, a second") for cell, text in panels]),
        "C5": lambda: plots.bars(
            r,
            [
                *[(f"streams-{n}", "kib", f"KiB a stream, {n:,} open") for n in _STREAMS],
                *[(f"streams-{n}", "opened", f"opened of {n:,}") for n in _STREAMS],
            ],
        ),
        "C6": lambda: plots.spans(r, [("login", *probe, "one row, beside 4 logins at a time")]),
        "C7": lambda: plots.spans(
            r,
            [
                *[(f"open-{n}", *lit, f"one row at {n} % of capacity") for n in (50, 70, 90)],
                ("open-1500", *lit, "one row, 1,500 a second"),
            ],
        ),
    }
    svg = drawings[claim]()
    return Picture(svg, claim.lower(), _CAPTIONS[claim]) if svg else None


_STREAMS = (1000, 5000, 10_000)

_CAPTIONS = {
    "C1": "How long a request that needs nothing waits while others wait for the database.",
    "C2": "50 ms queries: ideal is a straight line up to the pool's ceiling.",
    "C3": "An async-only client and a synchronous query in one route, 100 at a time.",
    "C4": "Requests answered a second on one core, 64 at a time unless said.",
    "C5": "Memory of the process for each open event stream; the kernel's share is not in it.",
    "C6": "What a login's 20 ms of hashing does to everyone else on the same core.",
    "C7": "Latency at the same share of each one's own capacity (C7's CPU is in the tables).",
}


def _tape(r: Results) -> Table:
    rows = []
    for one in r.contenders:
        tape = measure(one.sources)
        row = [one.title, str(tape.lines), str(tape.colour), str(tape.glue)]
        rows.append(row)
    return Table(["", "lines of code", "`async` and `await`", "bridging names"], rows)
