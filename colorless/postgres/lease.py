"""The ``with`` blocks in which a connection is lent, alone or with a transaction on it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol

from psycopg2 import ProgrammingError
from psycopg2.errors import InFailedSqlTransaction
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from colorless.postgres.connection import Connection
from colorless.postgres.errors import TransactionLeftOpen, outlived
from colorless.postgres.ledger import Slot


class Lender(Protocol):
    """The pool, as a lease sees it."""

    def take(self) -> Slot[Connection]:
        """Lend a slot with a live connection."""

    def put(self, slot: Slot[Connection], error: BaseException | None) -> None:
        """Take it back."""


class Lease:
    """Lends a connection for the length of a ``with`` block."""

    __slots__ = ("_lender", "_slot")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender

    if not TYPE_CHECKING:  # a type checker sees by itself that there is no such attribute

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(
                f"no {name} here: a connection is lent by `with pool.connection() as c:`", name=name
            )

    def __enter__(self) -> Connection:
        self._slot = self._lender.take()
        assert self._slot.connection is not None
        return self._slot.connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        connection = self._slot.connection
        assert connection is not None
        misuse = _misuse(connection) if error is None else None
        self._lender.put(self._slot, error)
        if misuse is not None:
            raise misuse


class Transaction(Lease):
    """Lends a connection with a transaction on it."""

    __slots__ = ()

    def __enter__(self) -> Connection:
        connection = super().__enter__()
        try:
            connection.execute("BEGIN")
        except BaseException as error:
            self._lender.put(self._slot, error)
            raise
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        connection = self._slot.connection
        assert connection is not None
        try:
            if error is None:
                _commit(connection)
            elif isinstance(error, Exception) and not connection.closed:
                _roll_back(connection)
        except BaseException as end:
            self._lender.put(self._slot, end)
            raise
        self._lender.put(self._slot, error)


def _misuse(connection: Connection) -> ProgrammingError | None:
    """What the user of a connection has to be told when its block ends."""
    if connection.user is not None:
        return outlived(connection.user)
    if connection.closed or connection.is_clean():
        return None
    return TransactionLeftOpen(
        "the block ended inside a transaction, which was rolled back: "
        "use 'with pool.transaction() as tx:', which ends it"
    )


def _commit(connection: Connection) -> None:
    if connection.get_transaction_status() == TRANSACTION_STATUS_INERROR:
        # COMMIT would succeed and do a ROLLBACK, and nobody would know.
        connection.execute("ROLLBACK")
        raise InFailedSqlTransaction(
            "the transaction was rolled back: one of its statements failed, and the block "
            "went on as if it had not. Let the error leave the block, or use a SAVEPOINT"
        )
    connection.execute("COMMIT")


def _roll_back(connection: Connection) -> None:
    """End the transaction after an error of its block, which is the one that counts."""
    try:
        connection.execute("ROLLBACK")
    except Exception:
        connection.close()  # which ends the transaction too
