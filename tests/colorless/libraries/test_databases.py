"""Database drivers of both colours, at work on the hub. All of them on a real PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import gevent
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from colorless.bridge import await_, entered, iterate

# Each of these queries only ends when all of them run: they take their locks in a ring.
OVERLAPPING = 4


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def with_driver(url: str, driver: str) -> sqlalchemy.URL:
    return sqlalchemy.make_url(url).set(drivername=f"postgresql+{driver}")


def meet(execute: Callable[[str], Any], number: int) -> None:
    """A query that ends when every number has been here: it waits for the others' rows."""
    execute(f"INSERT INTO meeting VALUES ({number})")
    execute(
        f"""DO $$ BEGIN
            WHILE (SELECT count(*) FROM meeting) < {OVERLAPPING} LOOP
                PERFORM pg_sleep(0.005); COMMIT;
            END LOOP; END $$"""
    )


@pytest.fixture
def meeting(database_url: str) -> None:
    async def make() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("CREATE TABLE IF NOT EXISTS meeting (number int)")
        await connection.execute("TRUNCATE meeting")
        await connection.close()

    await_(make())


def test_asyncpg_from_green_threads(database_url: str) -> None:
    """One pool on the shared loop, used by plain code: queries, a transaction, a cursor."""
    with entered(lambda: asyncpg.create_pool(database_url, min_size=1, max_size=4)) as pool:
        await_(pool.execute("CREATE TABLE numbers (n int)"))

        def insert(number: int) -> None:
            with entered(pool.acquire()) as connection, entered(connection.transaction()):
                await_(connection.execute("INSERT INTO numbers VALUES ($1)", number))

        gevent.joinall([gevent.spawn(insert, number) for number in range(20)], raise_error=True)
        with entered(pool.acquire()) as connection, entered(connection.transaction()):
            rows = iterate(connection.cursor("SELECT n FROM numbers ORDER BY n"))
            assert [row["n"] for row in rows] == list(range(20))
        with pytest.raises(asyncpg.DivisionByZeroError):
            await_(pool.fetchval("SELECT 1/0"))


def test_asyncpg_in_coroutines(database_url: str, meeting: None) -> None:
    """Four connections meet inside of the server, and a timeout cancels a query."""

    async def one(number: int) -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(f"INSERT INTO meeting VALUES ({number})")
            while await connection.fetchval("SELECT count(*) FROM meeting") < OVERLAPPING:
                await asyncio.sleep(0.002)
            with pytest.raises(TimeoutError):
                await connection.execute("SELECT pg_sleep(60)", timeout=0.02)
            assert await connection.fetchval("SELECT 1") == 1
        finally:
            await connection.close()

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(OVERLAPPING)))

    asyncio.run(main())


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_sqlalchemys_orm_overlaps_in_green_threads(
    database_url: str, meeting: None, driver: str
) -> None:
    """The plain ORM over either driver: four sessions wait for each other in their queries."""
    engine = sqlalchemy.create_engine(
        with_driver(database_url, driver), pool_size=OVERLAPPING, isolation_level="AUTOCOMMIT"
    )
    Base.metadata.create_all(engine)

    def one(number: int) -> None:
        with Session(engine) as session:
            meet(lambda sql: session.execute(sqlalchemy.text(sql)), number)
            session.add(Note(text=f"{driver} {number}"))
            session.commit()

    threads = [gevent.spawn(one, number) for number in range(OVERLAPPING)]
    with gevent.Timeout(20):
        gevent.joinall(threads, raise_error=True)
    with Session(engine) as session:
        written = session.scalars(
            sqlalchemy.select(Note.text).where(Note.text.startswith(f"{driver} "))
        )
        assert sorted(written) == [f"{driver} {number}" for number in range(OVERLAPPING)]
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_synchronous_drivers_inside_of_coroutines_overlap(
    database_url: str, meeting: None, driver: str
) -> None:
    """No wrapper: tasks that call the plain driver go on side by side."""
    module = pytest.importorskip(driver)

    async def one(number: int) -> None:
        connection = module.connect(database_url)
        connection.autocommit = True
        try:
            meet(connection.cursor().execute, number)
        finally:
            connection.close()

    async def main() -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(*(one(number) for number in range(OVERLAPPING)))

    asyncio.run(main())


async def use_async_orm(engine: AsyncEngine) -> list[str]:
    from sqlalchemy.ext.asyncio import AsyncSession

    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add_all([Note(text=f"async {number}") for number in range(3)])
        await session.commit()
        found = await session.stream_scalars(
            sqlalchemy.select(Note.text).where(Note.text.startswith("async ")).order_by(Note.id)
        )
        return [text async for text in found]


def test_sqlalchemys_asyncio_extension(database_url: str) -> None:
    """Its greenlets inside of ours: sessions, streams and run_sync over asyncpg."""
    engine = create_async_engine(with_driver(database_url, "asyncpg"))
    assert await_(use_async_orm(engine)) == ["async 0", "async 1", "async 2"]
    await_(engine.dispose())


def test_green_waits_inside_of_sqlalchemys_greenlets(database_url: str) -> None:
    """Code under run_sync may wait green: the task stays the current one, others go on."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    def plain(connection: sqlalchemy.Connection) -> Any:
        nonlocal turns
        turns = 0
        gevent.sleep(0.02)
        assert turns > 2
        return connection.scalar(sqlalchemy.text("SELECT 7"))

    async def main() -> Any:
        engine = create_async_engine(with_driver(database_url, "asyncpg"))
        counting = asyncio.create_task(count())
        await asyncio.sleep(0)
        task = asyncio.current_task()
        async with engine.connect() as connection:
            got = await connection.run_sync(plain)
        assert asyncio.current_task() is task
        counting.cancel()
        await engine.dispose()
        return got

    assert asyncio.run(main()) == 7
