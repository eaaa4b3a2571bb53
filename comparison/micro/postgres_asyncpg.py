"""The contender asyncpg on uvloop, with its own prepared-statement cache."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop

from comparison.micro.postgres import FIFTY_ROWS, ONE_ROW, QUERIES, serve_rounds

ONE, FIFTY = ONE_ROW.format("$1"), FIFTY_ROWS.format("$1")


async def one(connection: asyncpg.Connection) -> None:
    """One row by its key."""
    for number in range(1, QUERIES + 1):
        row = await connection.fetchrow(ONE, number)
        assert row[0] == number


async def fifty(connection: asyncpg.Connection) -> None:
    """Fifty rows by an index."""
    for number in range(QUERIES):
        assert len(await connection.fetch(FIFTY, number % 100)) == 50


async def micros(
    work: Callable[[asyncpg.Connection], Awaitable[None]], connection: asyncpg.Connection
) -> float:
    """Microseconds of CPU that each operation of ``work`` took."""
    before = time.process_time()
    await work(connection)
    return (time.process_time() - before) / QUERIES * 1e6


async def measure(connection: asyncpg.Connection) -> dict[str, float]:
    """One round."""
    return {"one": await micros(one, connection), "fifty": await micros(fifty, connection)}


def main() -> None:
    """Measure a round for each line of standard input."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        connection = runner.run(asyncpg.connect(sys.argv[1]))
        serve_rounds(lambda: runner.run(measure(connection)))
        runner.run(connection.close())


if __name__ == "__main__":
    main()
