"""The report's small print: every number with its interval, and what limited it."""

from collections.abc import Iterator

from comparison.blocks import Block, Heading, Paragraph, Points, Table
from comparison.experiments import CELLS, Kind
from comparison.results import METRICS, Results
from comparison.stats import Estimate

UNITS = {
    "rate": "answered a second",
    "errors": "errors, % of requests",
    "p99": "closed loop p99, ms",
    "open_p50": "p50, ms",
    "open_p99": "p99, ms",
    "probe_p50": "beside it p50, ms",
    "probe_p99": "beside it p99, ms",
    "cpu": "CPU, s per 1,000",
    "busy": "core in use, %",
    "memory": "memory, MiB",
    "opened": "streams opened",
    "kib": "KiB a stream",
    "delivery_p50": "delivery p50, ms",
    "delivery_p99": "delivery p99, ms",
    "lost": "messages not delivered",
}
"""What stands above a metric's column."""

PERCENT = ("errors", "busy")
QUIET = 0.1
"""Cores that others may take before the report warns. Guessed."""

FULL = 0.85
"""A contender that used less of its core than this was held back by the other one. Guessed."""


def tables(r: Results) -> list[Block]:
    """One table for each cell."""
    found: list[Block] = []
    for name, about in _cells():
        metrics = [metric for metric in METRICS if r.column(name, metric)]
        if metrics:
            found.append(Heading(f"`{name}`: {about}{_rounds(r, name, metrics[0])}", 3))
            found.append(_table(r, name, metrics))
    return found


def _rounds(r: Results, cell: str, metric: str) -> str:
    """How many rounds stand behind a table, and how sure its intervals are."""
    estimates = [r.get(one.name, cell, metric) for one in r.contenders]
    first = min((found for found in estimates if found), key=lambda found: found.count)
    if first.count == 1:
        return " (one round)"
    return f" ({first.count} rounds, intervals cover {first.coverage:.0%})"


def _cells() -> Iterator[tuple[str, str]]:
    for cell in CELLS:
        if cell.levels:
            yield from ((f"{cell.name}-{n}", f"{n:,} {cell.about}") for n in cell.levels)
        else:
            yield cell.name, cell.about


def _table(r: Results, cell: str, metrics: list[str]) -> Table:
    rows = []
    for one in r.contenders:
        row = [one.title]
        for metric in metrics:
            found = r.get(one.name, cell, metric)
            row.append("–" if found is None else _with_interval(found, metric))
        rows.append(row)
    return Table(["", *[UNITS[metric] for metric in metrics]], rows)


def _with_interval(found: Estimate, metric: str) -> str:
    scale = 100 if metric in PERCENT else 1
    middle, low, high = (_short(x * scale) for x in (found.median, found.low, found.high))
    return middle if low == high else f"{middle} ({low}–{high})"


def _short(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def noise(r: Results) -> str:
    """What else the machine did, and whether the figures can be trusted in spite of it."""
    text = f"While it was measured, other processes kept {r.neighbours:.2f} cores busy (median)."
    if r.neighbours > QUIET:
        text += " That is too much for anything but CPU per request to be trusted."
    return text


def limits(r: Results) -> list[Block]:
    """Where the other core was full, what failed, and how sure an interval is."""
    held = []
    for cell in CELLS:
        if cell.kind is Kind.CLOSED and cell.probe is None:
            busy = r.column(cell.name, "busy")
            names = [
                f"{one.title} {busy[one.name]:.0%}"
                for one in r.contenders
                if busy.get(one.name, 1) < FULL
            ]
            held += [f"`{cell.name}`: {', '.join(names)}"] if names else []
    found: list[Block] = []
    if held:
        found += [
            Paragraph(
                "Here a contender used less than "
                f"{FULL:.0%} of its core: the database's core, or waiting, was the limit, and the "
                "contender could answer more than is shown. CPU per request is the fairer figure."
            ),
            Points(held),
        ]
    found.append(Paragraph(noise(r)))
    if failures := r.failures():
        found.append(Paragraph("What could not be measured:"))
        found.append(Points([f"{who}, `{what}`: {text}" for who, what, text in failures]))
    return found
