"""The report in four sentences, computed: what changes with the runtime, and what does not."""

from statistics import geometric_mean

from comparison.results import Results
from comparison.wording import times

IO_CELLS = ("history", "message", "post", "home", "preview")
"""What a web service over a database mostly does."""

PAIRS = (
    (
        "colorless_fastapi",
        "fastapi_trap",
        "Synchronous database calls inside `async def`: the same file answers {ratio} as many "
        "requests a second on the hub as on asyncio ({n} kinds of I/O).",
    ),
    (
        "colorless_flask",
        "fastapi_asyncpg",
        "Plain synchronous Flask on the hub answers {ratio} as many as FastAPI rewritten for "
        "asyncpg, from {low} to {high}.",
    ),
    (
        "colorless_flask",
        "flask_gevent_stock",
        "It answers {ratio} as many as the same code on gunicorn's own gevent worker.",
    ),
    ("node", "colorless_flask", "Node.js answers {ratio} as many as that, from {low} to {high}."),
    ("go", "colorless_flask", "Go answers {ratio} as many, from {low} to {high}."),
)
"""One contender, another, and the sentence that compares them."""


def in_short(r: Results) -> list[str]:
    """A sentence for each pair that was measured."""
    found = []
    for one, other, sentence in PAIRS:
        if ratios := io_ratios(r, one, other):
            text = sentence.format(
                ratio=times(geometric_mean(ratios)),
                low=times(min(ratios)),
                high=times(max(ratios)),
                n=len(ratios),
            )
            found.append(text)
    return found


def io_ratios(r: Results, one: str, other: str) -> list[float]:
    """How many times as many requests `one` answered, for each kind of I/O both were asked."""
    pairs = [(r.value(one, cell, "rate"), r.value(other, cell, "rate")) for cell in IO_CELLS]
    return [a / b for a, b in pairs if a and b]
