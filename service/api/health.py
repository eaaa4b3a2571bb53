"""The probes: /livez says that the process runs, /readyz whether it can serve."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response
from psycopg2.errors import UndefinedTable

from colorless.deadlines import fail_after
from colorless.postgres import Connection, Pool
from service.api.errors import answer
from service.db.migrate import migrations

# Below what an orchestrator's probe usually waits, so that it gets an answer and not a timeout.
_READY_WITHIN = 2.0


def blueprint(db: Pool) -> Blueprint:
    """The probes. Neither needs a token; /livez uses neither database nor disk."""
    probes = Blueprint("health", __name__)
    expected = {migration.version for migration in migrations()}

    @probes.get("/livez")
    def livez() -> Response:
        return _json({"status": "alive"})

    @probes.get("/readyz")
    def readyz() -> Response:
        try:
            with fail_after(_READY_WITHIN), db.connection() as connection:
                missing = expected - _applied(connection)
        except Exception as error:
            return answer(error)
        return _json(
            {
                "status": "migrations are missing" if missing else "ready",
                "missing_migrations": sorted(missing),
                "pool": db.stats(),
            },
            status=503 if missing else 200,
        )

    return probes


def _applied(connection: Connection) -> set[int]:
    try:
        rows = connection.fetch_all("SELECT version FROM schema_migrations")
    except UndefinedTable:
        return set()  # a database that was never migrated
    return {version for (version,) in rows}


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status=status, content_type="application/json")
