"""Every contender against the contract, and what makes the comparison fair."""

import re

import pytest

from comparison import contract, roster
from comparison.paths import CONTENDERS, REPOSITORY
from tests.comparison.conftest import Lab

LINES = 200


@pytest.fixture(scope="module")
def verdicts(lab: Lab) -> str:
    """What `check` says of all contenders, each started once."""
    return lab("check")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [one.name for one in roster.everyone()])
def test_contender_holds_the_contract(name: str, verdicts: str) -> None:
    """A contender gives every answer, refusal, event and frame that the contract asks for."""
    lines = verdicts.splitlines()
    if absent := [line for line in lines if line.startswith(f"absent: {name}:")]:
        pytest.skip(absent[0])
    assert f"contract: {name}: holds" in lines, verdicts


def test_colorless_fastapi_is_the_trap_byte_for_byte() -> None:
    """The two rows of the report differ in the runtime and in nothing else."""
    ours, trap = (CONTENDERS / name / "app.py" for name in ("colorless_fastapi", "fastapi_trap"))
    assert ours.read_bytes() == trap.read_bytes()


@pytest.mark.parametrize("contender", roster.everyone(), ids=lambda one: one.name)
def test_contender_is_small_and_explains_itself(contender: roster.Contender) -> None:
    """An app can be read in one sitting, and says how it is tuned and where that comes from."""
    for source in contender.sources:
        assert len(source.read_text().splitlines()) <= LINES
    readme = (contender.folder / "README.md").read_text()
    assert "| Tuning | Why | Source |" in readme
    for path in re.findall(r"`(colorless/[\w/.]+)`", readme):
        assert (REPOSITORY / path).exists(), f"{contender.name} names {path}"
    assert (contender.folder / "start.sh").exists()


def test_python_pins_agree_with_each_other() -> None:
    """No contender gets a newer release of a library than its neighbour."""
    pins: dict[str, set[str]] = {}
    for path in CONTENDERS.glob("*/requirements.txt"):
        for line in path.read_text().split():
            name, _, version = line.partition("==")
            assert version, f"{path}: {line} is not pinned"
            pins.setdefault(name, set()).add(version)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_a_mismatch_is_named_where_it_is() -> None:
    """A wrong answer is reported by the path to its first wrong value."""
    expected = {"messages": [{"id": 1}, {"id": 2}], "created": contract.ANY}
    assert contract.mismatch(expected, {"messages": [{"id": 1}, {"id": 2}], "created": 7}) is None
    wrong = {"messages": [{"id": 1}, {"id": 3}], "created": 7}
    assert contract.mismatch(expected, wrong) == "answer.messages[1].id is 3, not 2"
    assert "keys" in (contract.mismatch(expected, {"messages": []}) or "")
