"""What docs/postgres.md offers in place of COPY works."""

from psycopg2.extras import execute_values

from tests.colorless.postgres.conftest import MakePool
from tests.tools.fresh import output_of


def test_many_rows_in_and_out(make_pool: MakePool) -> None:
    """execute_values and unnest put them in; a cursor reads them in portions."""
    with make_pool().transaction() as tx:
        tx.execute("CREATE TEMPORARY TABLE many (a int, b text) ON COMMIT DROP")
        execute_values(tx.cursor(), "INSERT INTO many VALUES %s", [(n, "x") for n in range(500)])
        numbers, texts = list(range(500, 1000)), ["y"] * 500
        tx.execute("INSERT INTO many SELECT * FROM unnest(%s, %s)", (numbers, texts))
        tx.execute("DECLARE reader CURSOR FOR SELECT a FROM many ORDER BY a")
        assert tx.fetch_all("FETCH 3 FROM reader") == [(0,), (1,), (2,)]
        assert len(tx.fetch_all("FETCH ALL FROM reader")) == 997


def test_psycopg_3_copies_beside_a_ticker(database_url: str) -> None:
    """Imported after the patch it waits by itself."""
    printed = output_of(
        f"""
        from colorless.patch import patch_everything; patch_everything()
        import psycopg
        from tests.tools.ticker import Ticker

        with psycopg.connect({database_url!r}) as c, c.cursor() as cursor, Ticker(0.001) as ticker:
            cursor.execute("CREATE TEMPORARY TABLE copied (a int, b text)")
            with cursor.copy("COPY copied FROM STDIN") as copy:
                for number in range(100_000):
                    copy.write_row((number, "x"))
            cursor.execute("SELECT count(*), pg_sleep(0.1) FROM copied")
            print(cursor.fetchone()[0], ticker.count > 5)
        """
    )
    assert printed == "100000 True"
