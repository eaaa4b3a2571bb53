"""The lab end to end: a few seconds of one experiment, stopped and gone on with."""

import json
from pathlib import Path

import pytest

from tests.comparison.conftest import Lab

CONTENDERS = "colorless_fastapi,fastapi_asyncpg,fastapi_trap"
RUN = ("run", "--quick", "--claim", "C1", "--only", CONTENDERS)


@pytest.mark.timeout(600)
def test_a_claim_is_measured_and_a_stopped_run_goes_on(lab: Lab, tmp_path: Path) -> None:
    """A run judges its claim, and what it has on record is not measured again."""
    text = lab(*RUN, results=tmp_path)
    [folder] = tmp_path.iterdir()
    raw = folder / "raw.jsonl"
    rows = [json.loads(line) for line in raw.read_text().splitlines()]
    assert {row["contender"] for row in rows} == set(CONTENDERS.split(",")), text
    assert not [row for row in rows if "failed" in row["result"]]
    for row in rows:
        assert row["result"]["requests"] > 0
        assert row["result"]["errors"]["status"] == row["result"]["errors"]["answer"] == 0
    assert "C1 “A synchronous database blocks" in (folder / "report.md").read_text()
    assert "<svg" in (folder / "report.html").read_text()

    (folder / "finished").unlink()
    raw.write_text("".join(f"{json.dumps(row)}\n" for row in rows[:-1]))
    assert "going on with" in lab(*RUN, results=tmp_path)
    again = [json.loads(line) for line in raw.read_text().splitlines()]
    assert again[:-1] == rows[:-1]
    assert again[-1]["contender"] == rows[-1]["contender"]


def test_unknown_names_are_answered_with_the_known_ones(lab: Lab) -> None:
    """A typing error in ONLY= or CLAIM= names what there is to choose from."""
    assert "fastapi_trap" in lab("check", "--only", "fastpai")
    assert "C1, C2" in lab("run", "--claim", "C9")
