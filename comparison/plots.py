"""The report's pictures, each an SVG in a string."""

import io
import math
import re
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from comparison.results import Results
from comparison.roster import Contender
from comparison.wording import ms, rate

COLOURS = {
    "colorless_flask": "#d1345b",
    "colorless_fastapi": "#f08a4b",
    "fastapi_asyncpg": "#2a7f9e",
    "fastapi_trap": "#8e9aaf",
    "fastapi_threadpool": "#6f86c9",
    "flask_gthread": "#a39b8b",
    "flask_gevent_stock": "#7d6b91",
    "node": "#4f9d4f",
    "go": "#16a6b6",
}
"""The two that are Colorless are warm; everyone else is not."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#999999",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 10,
    "xtick.color": "#555555",
    "ytick.color": "#222222",
    "svg.fonttype": "path",
    "svg.hashsalt": "lab",  # the same data draws the same bytes
}


WIDTH = 11.5
"""Inches of every picture, so that their letters have one size on the page."""


def _colour(name: str) -> str:
    return COLOURS.get(name, "#555555")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = out.getvalue()
    # Inline in HTML: no XML head, and a size that follows the page.
    text = text[text.index("<svg") :]
    return re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)


def _bars(axes: Axes, values: dict[str, float], titles: dict[str, str], title: str) -> None:
    """Horizontal bars in the order of the report, each with its value."""
    names = [name for name in titles if name in values][::-1]
    top = max(values.values(), default=1)
    axes.barh(
        [titles[name] for name in names],
        [values[name] for name in names],
        color=[_colour(name) for name in names],
        height=0.72,
    )
    for place, name in enumerate(names):
        axes.text(values[name] + top * 0.015, place, rate(values[name]), va="center", fontsize=8)
    axes.set_xlim(0, top * 1.17)
    axes.set_title(title)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _span(
    axes: Axes, low: dict[str, float], high: dict[str, float], titles: dict[str, str], title: str
) -> None:
    """A line from p50 to p99 for each contender, on a logarithmic axis of milliseconds."""
    names = [name for name in titles if name in high and name in low][::-1]
    for place, name in enumerate(names):
        a, b = max(low[name], 0.05), max(high[name], 0.05)
        axes.plot([a, b], [place, place], color=_colour(name), linewidth=5, alpha=0.55)
        axes.plot(a, place, "o", color=_colour(name), markersize=6, markeredgecolor="white")
        axes.plot(b, place, "D", color=_colour(name), markersize=7, markeredgecolor="white")
        axes.text(b * 1.25, place, ms(high[name]), va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [titles[name] for name in names])
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 2.2)
    axes.set_xlabel("ms: ● half of them, ◆ 99 of 100", color="#555555")
    axes.grid(axis="x", color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.set_title(title)
    axes.tick_params(axis="y", length=0)


def spans(results: Results, cells: list[tuple[str, str, str, str]]) -> str | None:
    """Latency of each (cell, low metric, high metric, title), side by side."""
    found = [cell for cell in cells if results.column(cell[0], cell[2])]
    if not found:
        return None
    titles = {one.name: one.title for one in results.contenders}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.34 * len(titles) + 1.2))
        for place, (cell, low, high, title) in enumerate(found):
            axes = figure.add_subplot(1, len(found), place + 1)
            _span(axes, results.column(cell, low), results.column(cell, high), titles, title)
            if place:
                axes.set_yticklabels([])
        figure.tight_layout()
        return _svg(figure)


def bars(results: Results, cells: list[tuple[str, str, str]], across: int = 3) -> str | None:
    """Small multiples: one panel of bars for each (cell, metric, title)."""
    found = [cell for cell in cells if results.column(cell[0], cell[1])]
    if not found:
        return None
    titles = {one.name: one.title for one in results.contenders}
    across = min(across, len(found))
    down = math.ceil(len(found) / across)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, (0.27 * len(titles) + 0.7) * down))
        for place, (cell, metric, title) in enumerate(found):
            axes = figure.add_subplot(down, across, place + 1)
            _bars(axes, results.column(cell, metric), titles, title)
            if place % across:
                axes.set_yticklabels([])
        figure.tight_layout()
        return _svg(figure)


def scaling(results: Results) -> str | None:
    """C2: slow queries answered per second, against how many are asked at a time."""
    cells = {n: f"slow-{n}" for n in (10, 100, 500, 2000) if results.column(f"slow-{n}", "rate")}
    if len(cells) < 2:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH - 2.4, 4.6))
        axes = figure.add_subplot()
        ends = []
        for one in results.contenders:
            found = [(n, results.value(one.name, cell, "rate")) for n, cell in cells.items()]
            points = [(n, max(y, 1.0)) for n, y in found if y is not None]
            if not points:
                continue
            axes.plot(*zip(*points, strict=True), "o-", color=_colour(one.name), linewidth=2.2)
            ends.append((points[-1][1], one))
        axes.axhline(4000, color="#bbbbbb", linestyle=":")
        axes.text(10, 4300, "200 connections ÷ 50 ms", color="#888888", fontsize=8)
        axes.axhline(800, color="#bbbbbb", linestyle=":")
        axes.text(10, 850, "FastAPI's default of 40 threads ÷ 50 ms", color="#888888", fontsize=8)
        axes.set(
            xscale="log", yscale="log", xlabel="concurrent requests", ylabel="answered a second"
        )
        axes.set_xticks(list(cells), [f"{n:,}" for n in cells])
        axes.minorticks_off()
        axes.grid(color="#eeeeee")
        _label_ends(axes, ends, max(cells))
        return _svg(figure)


def _label_ends(axes: Axes, ends: list[tuple[float, Contender]], right: float) -> None:
    """Names at the right ends of lines, pushed apart where they would overlap."""
    bottom, top = (math.log10(y) for y in axes.get_ylim())
    gap, place = (top - bottom) * 0.05, -math.inf
    for value, one in sorted(ends, key=lambda pair: pair[0]):
        place = max(math.log10(value), place + gap)
        name, title = one.name, one.title
        axes.annotate(
            f"{title}  {rate(value)}",
            (right, value),
            (right * 1.25, 10**place),
            color=_colour(name),
            va="center",
            fontsize=8.5,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": _colour(name), "alpha": 0.4},
        )
