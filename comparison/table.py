"""The README's table: the last full result in eight columns."""

from pathlib import Path

from comparison.blocks import table
from comparison.results import Results
from comparison.wording import ms, rate

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"

COLUMNS = (
    ("`/livez` p99 beside 100 slow queries", "slow-100", "probe_p99"),
    ("slow queries/s, 500 at a time", "slow-500", "rate"),
    ("one row/s", "message", "rate"),
    ("CPU ms per 1,000 rows", "message", "cpu"),
    ("insert/s", "post", "rate"),
    ("async + sync in one route/s", "mixed", "rate"),
    ("KiB per open stream", "streams-10000", "kib"),
)


def render(folder: Path) -> str:
    """The table of one run, as Markdown."""
    results = Results(folder)
    rows = [
        [one.title, *[_cell(results, one.name, cell, metric) for _, cell, metric in COLUMNS]]
        for one in results.contenders
    ]
    about = results.about
    note = (
        f"One core each, {results.rounds} rounds, medians; measured {about['started'][:10]} on "
        f"{about['machine']['processor']}. How, and what limits it: "
        f"[report](comparison/results/{folder.name}/report.md)."
    )
    return "\n".join([table(["", *[title for title, _, _ in COLUMNS]], rows), "", note])


def _cell(results: Results, contender: str, cell: str, metric: str) -> str:
    value = results.value(contender, cell, metric)
    if value is None:
        return "–"
    if metric == "probe_p99":
        return ms(value)
    return rate(value * 1000) if metric == "cpu" else rate(value)


def inserted(text: str, rendered: str) -> str:
    """The text with what stands between the markers replaced.

    Raises ValueError when the markers are not there.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END} to write between")
    return f"{head}{BEGIN}\n{rendered}\n{END}{tail}"
