"""The contender asyncpg on uvloop, with its own prepared-statement cache."""

import asyncio
import sys
import time
from collections.abc import Awaitable

import asyncpg
import uvloop

from comparison.micro.postgres import FIFTY_ROWS, ONE_ROW, QUERIES, serve_rounds

ONE, FIFTY = ONE_ROW.format("$1"), FIFTY_ROWS.format("$1")


async def one(connection: asyncpg.Connection) -> None:
    """One row by its key, on a connection that is held."""
    for number in range(1, QUERIES + 1):
        row = await connection.fetchrow(ONE, number)
        assert row[0] == number


async def one_pooled(pool: asyncpg.Pool) -> None:
    """One row by its key, on a connection from the pool, as a request asks."""
    for number in range(1, QUERIES + 1):
        async with pool.acquire() as connection:
            row = await connection.fetchrow(ONE, number)
        assert row[0] == number


async def fifty(connection: asyncpg.Connection) -> None:
    """Fifty rows by an index, on a connection that is held."""
    for number in range(QUERIES):
        assert len(await connection.fetch(FIFTY, number % 100)) == 50


async def fifty_pooled(pool: asyncpg.Pool) -> None:
    """Fifty rows by an index, on a connection from the pool."""
    for number in range(QUERIES):
        async with pool.acquire() as connection:
            rows = await connection.fetch(FIFTY, number % 100)
        assert len(rows) == 50


async def micros(work: Awaitable[None]) -> float:
    """Microseconds of CPU that each operation of ``work`` took."""
    before = time.process_time()
    await work
    return (time.process_time() - before) / QUERIES * 1e6


async def measure(pool: asyncpg.Pool, bold: asyncpg.Pool) -> dict[str, float]:
    """One round."""
    figures = {
        "one pooled": await micros(one_pooled(pool)),
        "one unreset": await micros(one_pooled(bold)),
        "fifty pooled": await micros(fifty_pooled(pool)),
    }
    async with pool.acquire() as connection:
        figures["one"] = await micros(one(connection))
        figures["fifty"] = await micros(fifty(connection))
    return figures


async def no_reset(_connection: asyncpg.Connection) -> None:
    """Leave the session as its user left it."""


async def make_pools(url: str) -> tuple[asyncpg.Pool, asyncpg.Pool]:
    """A pool as its manual shows it, and one that trusts its users as ours does."""
    return (
        await asyncpg.create_pool(url, min_size=1, max_size=10),
        await asyncpg.create_pool(url, min_size=1, max_size=10, reset=no_reset),
    )


def main() -> None:
    """Measure a round for each line of standard input."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        pools = runner.run(make_pools(sys.argv[1]))
        serve_rounds(lambda: runner.run(measure(*pools)))
        for pool in pools:
            runner.run(pool.close())


if __name__ == "__main__":
    main()
