"""What every test may ask for."""

from tests.fixtures import database_url, embedded_server, no_leaks, postgres_url

__all__ = ["database_url", "embedded_server", "no_leaks", "postgres_url"]
