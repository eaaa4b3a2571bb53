"""The contender psycogreen: plain psycopg2 with psycogreen's wait callback."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
import time  # noqa: E402

import psycopg2  # noqa: E402
from psycogreen.gevent import patch_psycopg  # noqa: E402

from comparison.micro.postgres import ONE_ROW, QUERIES, serve_rounds  # noqa: E402

ONE = ONE_ROW.format("%s")


def main() -> None:
    """Measure a round for each line of standard input."""
    patch_psycopg()
    connection = psycopg2.connect(sys.argv[1])
    connection.autocommit = True

    def measure() -> dict[str, float]:
        before = time.process_time()
        for number in range(1, QUERIES + 1):
            with connection.cursor() as cursor:
                cursor.execute(ONE, (number,))
                row = cursor.fetchone()
                assert row is not None
                assert row[0] == number
        return {"one": (time.process_time() - before) / QUERIES * 1e6}

    serve_rounds(measure)


if __name__ == "__main__":
    main()
