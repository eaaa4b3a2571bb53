"""How long each file of tests took the last time it ran here; until then, as it was elsewhere."""

import json
from collections.abc import Mapping
from pathlib import Path

HERE = Path(".pytest_cache/shards/durations.json")
FALLBACK = Path(__file__).with_name("durations.json")

UNKNOWN = 5.0  # seconds; guessed: new files begin before most others, but after the long ones


def known() -> dict[str, float]:
    """Seconds by file."""
    return {**_read(FALLBACK), **_read(HERE)}


def remember(seconds: Mapping[str, float]) -> None:
    """Keep these for the next run here."""
    HERE.parent.mkdir(parents=True, exist_ok=True)
    kept = {file: taken for file, taken in _read(HERE).items() if Path(file).exists()}
    rounded = {file: round(taken, 1) for file, taken in seconds.items()}
    HERE.write_text(json.dumps({**kept, **rounded}, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> dict[str, float]:
    try:
        seconds: dict[str, float] = json.loads(path.read_text())
    except (OSError, ValueError):  # none yet, or cut short when a disk was full
        return {}
    return seconds
