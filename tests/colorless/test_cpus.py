"""CPUs as a container is allowed them, read from files as the kernel writes them."""

import os
from pathlib import Path

import pytest

from colorless import cpus
from colorless.cpus import available_cpus


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lets this process run on eight."""
    monkeypatch.setattr(cpus, "_affinity", lambda: set(range(8)))


def files(folder: Path, contents: dict[str, str]) -> tuple[Path, Path]:
    """A cgroup file system, and the file that says where in it this process is."""
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder, folder / "mine"


@pytest.mark.parametrize(
    ("maximum", "expected"),
    [
        ("200000 100000", 2),
        ("max 100000", 8),
        ("150000 100000", 1),
        ("20000 100000", 1),
        ("6400000 100000", 8),
    ],
)
def test_quota_of_version_2(tmp_path: Path, maximum: str, expected: int) -> None:
    """cpu.max counts, rounded down, but never below 1 nor above what the machine has."""
    assert available_cpus(*files(tmp_path, {"mine": "0::/", "cpu.max": maximum})) == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000", 3), ("-1", 8)])
def test_quota_of_version_1(tmp_path: Path, quota: str, expected: int) -> None:
    """The two older files mean the same; -1 is no limit."""
    contents = {
        "mine": "4:memory:/box\n3:cpu,cpuacct:/box",
        "cpu/box/cpu.cfs_quota_us": quota,
        "cpu/box/cpu.cfs_period_us": "100000",
    }
    assert available_cpus(*files(tmp_path, contents)) == expected


def test_the_smallest_quota_on_the_way_up_counts(tmp_path: Path) -> None:
    """A limit on a group above this process's own binds it as well."""
    contents = {
        "mine": "0::/system/chat",
        "system/cpu.max": "200000 100000",
        "system/chat/cpu.max": "500000 100000",
    }
    assert available_cpus(*files(tmp_path, contents)) == 2


def test_a_path_of_the_host_is_looked_up_at_the_top(tmp_path: Path) -> None:
    """A container that sees the host's path but only its own files still finds its quota."""
    contents = {"mine": "0::/docker/abc", "cpu.max": "400000 100000"}
    assert available_cpus(*files(tmp_path, contents)) == 4


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    """Elsewhere than on Linux there are no such files."""
    assert available_cpus(tmp_path, tmp_path / "mine") == 8


def test_this_machine_has_at_least_one() -> None:
    """The real files can be read, whatever they say."""
    assert 1 <= available_cpus() <= max(8, os.cpu_count() or 1)
