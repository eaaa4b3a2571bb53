"""What the numbers say about each claim: a word, and sentences that carry the figures.

A verdict is computed. Its thresholds stand here, above the functions that use them, so a reader
can disagree with one and see what changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import geometric_mean

from comparison.ducttape import measure
from comparison.results import Results
from comparison.short import io_ratios
from comparison.wording import listed, ms, rate, times

BLOCKED = 10.0
"""A loop counts as blocked when /livez takes this many times what it takes beside asyncpg."""

LEVEL = 0.9
"""Two rates count as level when the lower is at least this part of the higher."""

ASYNC, TRAP, THREADS = "fastapi_asyncpg", "fastapi_trap", "fastapi_threadpool"
HUB_FLASK, HUB_FASTAPI, NODE, GO = "colorless_flask", "colorless_fastapi", "node", "go"


@dataclass(frozen=True)
class Verdict:
    """A claim's name, a word for it, and why."""

    claim: str
    word: str
    sentences: tuple[str, ...]


def judge(results: Results) -> list[Verdict]:
    """A verdict for every claim whose cells were measured."""
    return [verdict for rule in _RULES if (verdict := rule(results)) is not None]


def _blocks(r: Results) -> Verdict | None:
    livez = r.column("slow-100", "probe_p99")
    if not {TRAP, ASYNC} <= livez.keys():
        return None
    blocked = livez[TRAP] >= BLOCKED * livez[ASYNC]
    text = [
        f"Beside 100 slow queries at a time, /livez took {ms(livez[TRAP])} (p99) where "
        f"`async def` called psycopg2 on asyncio, and {ms(livez[ASYNC])} where it awaited asyncpg."
    ]
    word = "True" if blocked else "Not seen here"
    if HUB_FASTAPI in livez:
        same = livez[HUB_FASTAPI]
        freed = same < BLOCKED * livez[ASYNC]
        word = "True of asyncio's loop, false of the hub" if blocked and freed else word
        text.append(
            f"The same file, byte for byte, on Colorless: {ms(same)}, and "
            f"{_rate_of(r, HUB_FASTAPI, 'slow-100')} queries a second instead of "
            f"{_rate_of(r, TRAP, 'slow-100')}."
        )
    return Verdict("C1", word, tuple(text))


def _thread_pool(r: Results) -> Verdict | None:
    levels = [cell for cell in ("slow-100", "slow-500", "slow-2000") if r.column(cell, "rate")]
    if not levels or not r.value(THREADS, levels[0], "rate"):
        return None
    text, behind = [], []
    for cell in levels:
        rates = {name: n for name, n in r.column(cell, "rate").items() if name not in (NODE, GO)}
        best = max(rates, key=lambda name: rates[name])
        share = rates.get(THREADS, 0) / rates[best]
        behind += [cell] if share < LEVEL else []
        text.append(
            f"At {int(cell.split('-')[1]):,} concurrent: {rate(rates.get(THREADS, 0))} a second, "
            f"{share:.0%} of the best in Python ({_title(r, best)}, {rate(rates[best])})."
        )
    text.append(
        "Its pool was widened to 200 threads; left at FastAPI's default of 40 it cannot pass "
        "40 ÷ 50 ms = 800 a second."
    )
    word = f"Not from {int(behind[0].split('-')[1]):,} concurrent on" if behind else "True here"
    return Verdict("C2", word, tuple(text))


def _duct_tape(r: Results) -> Verdict | None:
    rates = r.column("mixed", "rate")
    if not rates:
        return None
    python = {one.name: measure(one.sources) for one in r.contenders if one.toolchain == "python"}
    text = [
        f"{_title(r, name)}: {rate(rates[name])} a second; {tape.colour} words of `async` and "
        f"`await`, {tape.glue} bridging names."
        for name, tape in python.items()
        if name in rates
    ]
    hub = max(rates.get(HUB_FLASK, 0), rates.get(HUB_FASTAPI, 0))
    others = max((n for name, n in rates.items() if name in python and name not in _HUB), default=0)
    freed = hub >= LEVEL * others > 0
    word = "True, unless both colours share one hub" if freed else "True"
    return Verdict("C3", word, tuple(text))


def _node(r: Results) -> Verdict | None:
    hub = HUB_FLASK if r.column("message", "rate").get(HUB_FLASK) else HUB_FASTAPI
    against = {
        name: io_ratios(r, NODE, name) for name in (hub, ASYNC, GO) if io_ratios(r, NODE, name)
    }
    if not against:
        return None
    text = [
        f"Over {len(ratios)} kinds of I/O, Node.js answered {times(geometric_mean(ratios))} "
        f"as many requests a second as {_title(r, name)} "
        f"(from {times(min(ratios))} to {times(max(ratios))})."
        for name, ratios in against.items()
    ]
    python = [geometric_mean(against[name]) for name in (hub, ASYNC) if name in against]
    if python and min(python) <= 1 / LEVEL:
        word = "Not needed: Python keeps up"
    elif GO in against and geometric_mean(against[GO]) < LEVEL:
        word = "Faster than Python, slower than Go"
    else:
        word = "True for speed"
    return Verdict("C4", word, tuple(text))


def _go(r: Results) -> Verdict | None:
    cell = next(
        (f"streams-{n}" for n in (10_000, 5_000, 1_000) if r.column(f"streams-{n}", "opened")), None
    )
    if cell is None:
        return None
    wanted = int(cell.split("-")[1])
    opened = r.column(cell, "opened")
    kib, delivery = r.column(cell, "kib"), r.column(cell, "delivery_p99")
    whole = [name for name in opened if opened[name] >= wanted]
    text = [
        f"{_title(r, name)}: {kib[name]:.0f} KiB for each of {wanted:,} open streams, a message "
        f"there within {ms(delivery[name])} (p99)."
        for name in whole
        if name in (HUB_FLASK, HUB_FASTAPI, ASYNC, NODE, GO)
    ]
    text += [
        f"{_title(r, name)} opened {opened[name]:,.0f} of {wanted:,}."
        for name in opened
        if name not in whole
    ]
    slow = r.column("slow-2000", "rate")
    if {GO, HUB_FLASK} <= slow.keys():
        text.append(
            f"2,000 concurrent slow queries: Go {rate(slow[GO])} a second, "
            f"{_title(r, HUB_FLASK)} {rate(slow[HUB_FLASK])}."
        )
    word = "Not the only way" if any(name in whole for name in _HUB) else "True"
    if GO in whole:
        cheapest = kib[GO] <= min(kib[name] for name in whole)
        word += ", but the leanest" if cheapest else ", nor the leanest"
    return Verdict("C5", word, tuple(text))


def _cpu_bound(r: Results) -> Verdict | None:
    beside, logins = r.column("login", "probe_p99"), r.column("login", "rate")
    if not beside:
        return None
    names = sorted(beside, key=lambda name: beside[name])
    text = [
        "With four logins at a time on the one core, a row came back within "
        + listed([f"{ms(beside[name])} ({_title(r, name)})" for name in names])
        + " at p99.",
        "Logins a second: "
        + listed([f"{logins[name]:.0f} ({_title(r, name)})" for name in names if name in logins])
        + ".",
    ]
    top = max(logins.values())
    python = [name for name in logins if name not in (NODE, GO)]
    level = any(logins[name] >= LEVEL * top for name in python)
    word = (
        "The language hardly matters: the hash is native code"
        if level
        else "False: it is slower here"
    )
    return Verdict("C6", word, tuple(text))


def _cost(r: Results) -> Verdict | None:
    cpu, memory = r.column("message", "cpu"), r.column("message", "memory")
    if not cpu:
        return None
    cheapest = min(cpu, key=lambda name: cpu[name])
    text = [
        f"{_title(r, name)}: {value * 1000:.0f} ms of CPU for 1,000 single rows, "
        f"{memory[name]:.0f} MiB resident."
        for name, value in sorted(cpu.items(), key=lambda pair: pair[1])
    ]
    return Verdict("C7", f"Cheapest: {_title(r, cheapest)}", tuple(text))


_HUB = (HUB_FLASK, HUB_FASTAPI)
_RULES: tuple[Callable[[Results], Verdict | None], ...] = (
    _blocks,
    _thread_pool,
    _duct_tape,
    _node,
    _go,
    _cpu_bound,
    _cost,
)


def _title(r: Results, name: str) -> str:
    return next((one.title for one in r.contenders if one.name == name), name)


def _rate_of(r: Results, name: str, cell: str) -> str:
    value = r.value(name, cell, "rate")
    return "no" if value is None else rate(value)
