"""From raw lines to figures, verdicts and the README's table."""

import json
from pathlib import Path
from typing import Any

import pytest

from comparison import ducttape, report, table, verdicts
from comparison.paths import REPOSITORY, RESULTS
from comparison.results import Results, newest
from comparison.stats import estimate


def _closed(rate: float, livez_p99: float) -> dict[str, Any]:
    latency = {"p50": livez_p99 / 2, "p99": livez_p99}
    return {
        "requests": round(rate * 2),
        "seconds": 2.0,
        "errors": {"connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0, "answer": 0},
        "p99": 80.0,
        "probe": {"done": 100, "latency": latency},
        "cpu_us": 400.0,
        "busy": 0.9,
        "memory_mib": 60.0,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A made-up run in which the trap blocks and the hub does not."""
    machine = {"processor": "a test", "cores": "2"}
    about = {"quick": False, "claim": "", "only": "", "started": "2026-01-02T03:04:05"}
    (tmp_path / "run.json").write_text(json.dumps({**about, "machine": machine}))
    measured = {
        "colorless_fastapi": (1800, 12),
        "fastapi_asyncpg": (1900, 10),
        "fastapi_trap": (19, 4000),
        "fastapi_threadpool": (1000, 60),
    }
    with open(tmp_path / "raw.jsonl", "w") as raw:
        for number in (1, 2, 3):
            for name, (rate, livez) in measured.items():
                result = _closed(rate + number, livez + number)
                row = {"round": number, "contender": name, "cell": "slow-100", "result": result}
                raw.write(json.dumps(row) + "\n")
    return tmp_path


def test_a_figure_is_the_median_over_rounds(folder: Path) -> None:
    """Three rounds give their median, and the range as the interval."""
    found = Results(folder).get("fastapi_trap", "slow-100", "rate")
    assert found is not None
    assert (found.median, found.low, found.high, found.count) == (21, 20, 22, 3)


def test_intervals_say_how_sure_they_are() -> None:
    """Five rounds cover 94 % with their range; many rounds narrow the interval."""
    five = estimate([5, 1, 4, 2, 3])
    assert (five.low, five.median, five.high) == (1, 3, 5)
    assert five.coverage == pytest.approx(0.9375)
    many = estimate(range(21))
    assert (many.low, many.high) == (6, 14)
    assert many.coverage >= 0.9


def test_verdicts_follow_the_numbers(folder: Path) -> None:
    """The first claim holds for asyncio and not for the hub, because the figures say so."""
    found = {verdict.claim: verdict for verdict in verdicts.judge(Results(folder))}
    assert found["C1"].word == "True of asyncio's loop, false of the hub"
    assert "4,002 ms" in found["C1"].sentences[0]
    assert found["C2"].word == "Not from 100 concurrent on"
    assert "C5" not in found


def test_a_report_needs_nothing_else(folder: Path) -> None:
    """The page carries its style and pictures, and asks no other server for anything."""
    report.write(folder)
    text = (folder / "report.html").read_text()
    assert "<style>" in text
    assert text.count("<svg") >= 1
    assert "src=" not in text
    assert "@import" not in text


def test_colour_is_counted_in_code_only(tmp_path: Path) -> None:
    """Words in comments, strings and imports are not duct tape."""
    app = tmp_path / "app.py"
    code = 'async def f():\n    await to_thread(g, "await")\n'
    app.write_text(f'"""async await"""\n# await\nfrom asyncio import to_thread\n{code}')
    assert ducttape.measure([app]) == ducttape.Tape(lines=3, colour=2, glue=1)


def test_the_table_goes_between_its_markers(folder: Path) -> None:
    """Only what stands between the markers changes, however often it is written."""
    rendered = table.render(folder)
    text = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.inserted(text, rendered)
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert table.inserted(once, rendered) == once
    with pytest.raises(ValueError, match="results:begin"):
        table.inserted("no markers", rendered)


def test_readme_shows_the_last_full_result() -> None:
    """The README's table is the one that `python -m comparison table` writes."""
    try:
        folder = newest(RESULTS)
    except ValueError as error:
        pytest.skip(str(error))
    readme = (REPOSITORY / "README.md").read_text()
    assert table.inserted(readme, table.render(folder)) == readme, (
        "run: python -m comparison table --write README.md"
    )
