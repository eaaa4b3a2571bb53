"""The cursor that ``connection.cursor()`` makes: psycopg2's, with errors that say what to do."""

from __future__ import annotations

from typing import Any, NoReturn

from psycopg2 import extensions

from colorless.postgres.errors import not_cooperative


class Cursor(extensions.cursor):
    """psycopg2's cursor on a connection of the pool."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """As psycopg2's; raises ConnectionShared while another green thread waits."""
        connection: Any = self.connection
        connection.check_not_in_use()
        super().execute(query, vars)

    def copy_from(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises NotCooperative."""
        raise not_cooperative("copy_from")

    def copy_to(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises NotCooperative."""
        raise not_cooperative("copy_to")

    def copy_expert(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises NotCooperative."""
        raise not_cooperative("copy_expert")
