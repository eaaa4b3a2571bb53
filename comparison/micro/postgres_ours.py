"""The contender colorless.postgres, through its pool."""

from colorless.patch import patch_everything

patch_everything()

import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

from colorless.postgres import Connection, Pool  # noqa: E402
from comparison.micro.postgres import FIFTY_ROWS, ONE_ROW, QUERIES, serve_rounds  # noqa: E402

ONE, FIFTY = ONE_ROW.format("%s"), FIFTY_ROWS.format("%s")


def checkout(pool: Pool) -> None:
    """A connection is lent and comes back."""
    for _ in range(QUERIES):
        with pool.connection():
            pass


def one(connection: Connection) -> None:
    """One row by its key, on a connection that is held."""
    for number in range(1, QUERIES + 1):
        row = connection.fetch_one(ONE, (number,))
        assert row is not None
        assert row[0] == number


def one_pooled(pool: Pool) -> None:
    """One row by its key, on a connection from the pool, as a request asks."""
    for number in range(1, QUERIES + 1):
        with pool.connection() as connection:
            row = connection.fetch_one(ONE, (number,))
        assert row is not None
        assert row[0] == number


def fifty(connection: Connection) -> None:
    """Fifty rows by an index, on a connection that is held."""
    for number in range(QUERIES):
        assert len(connection.fetch_all(FIFTY, (number % 100,))) == 50


def fifty_pooled(pool: Pool) -> None:
    """Fifty rows by an index, on a connection from the pool."""
    for number in range(QUERIES):
        with pool.connection() as connection:
            rows = connection.fetch_all(FIFTY, (number % 100,))
        assert len(rows) == 50


def micros(work: Callable[[], None]) -> float:
    """Microseconds of CPU that each operation of ``work`` took."""
    before = time.process_time()
    work()
    return (time.process_time() - before) / QUERIES * 1e6


def main() -> None:
    """Measure a round for each line of standard input."""
    pool = Pool(sys.argv[1])

    def measure() -> dict[str, float]:
        figures = {
            "checkout": micros(lambda: checkout(pool)),
            "one pooled": micros(lambda: one_pooled(pool)),
            "fifty pooled": micros(lambda: fifty_pooled(pool)),
        }
        with pool.connection() as connection:
            figures["one"] = micros(lambda: one(connection))
            figures["fifty"] = micros(lambda: fifty(connection))
        return figures

    serve_rounds(measure)
    pool.close()


if __name__ == "__main__":
    main()
