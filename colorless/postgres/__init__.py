"""Green PostgreSQL: a pool of psycopg2 connections that never blocks the hub.

The layers, each importing only those above it:

    errors         what can go wrong between a caller and its connection
    ledger         which slot goes to whom; decisions without I/O
    placeholders   which SQL can be prepared, and as what
    calls          what is sent to run a prepared statement
    statements     what a connection has prepared
    cancel         end a query in the server when its caller stopped waiting
    cursor         psycopg2's cursor, with errors that say what to do
    connection     psycopg2's connection with fetch_all, fetch_one, execute
    wait_callback  psycopg2's wait callback
    connect        open a connection without blocking, within a time limit
    waiter         who sleeps until the ledger serves them
    lease          the with blocks
    pool           the shell round the ledger
"""

from colorless.extras import needs_extra

with needs_extra("colorless.postgres", "postgres"):
    from colorless.postgres.connection import Connection
    from colorless.postgres.errors import (
        ConnectionShared,
        ConnectTimeout,
        NotCooperative,
        PoolClosed,
        PoolFull,
        PoolTimeout,
        TransactionLeftOpen,
    )
    from colorless.postgres.pool import Pool

__all__ = [
    "ConnectTimeout",
    "Connection",
    "ConnectionShared",
    "NotCooperative",
    "Pool",
    "PoolClosed",
    "PoolFull",
    "PoolTimeout",
    "TransactionLeftOpen",
]
