"""A contender of comparison.micro.loop: one event loop, which measures a round for each line."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

if __name__ == "__main__" and sys.argv[1] == "HubLoop":
    from colorless.patch import patch_everything

    patch_everything()

import aiohttp
import asyncpg
import httpx
import uvloop

from comparison.micro.postgres import ONE_ROW, serve_rounds

AT_ONCE = 20
ONE = ONE_ROW.format("$1")
LINE = b"x" * 99 + b"\n"

Operation = Callable[[], Awaitable[object]]


class Pings(asyncio.Protocol):
    """A bare protocol: a packet, its echo, the next packet, until there were ``count``."""

    def __init__(self) -> None:
        self.left = 0
        self.over: asyncio.Future[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Ready to send."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """An echo: send the next one."""
        self.left -= 1
        if self.left:
            self.transport.write(data)
        elif self.over is not None:
            self.over.set_result(None)

    async def ping(self, count: int) -> None:
        """Send ``count`` packets, one after the other."""
        self.left = count
        self.over = asyncio.get_running_loop().create_future()
        self.transport.write(LINE)
        await self.over


class Work:
    """All clients, connected."""

    def __init__(self, url: str, echo: str, http: str, only: str) -> None:
        self.url, self.echo, self.only = url, int(echo), only
        self.http = f"http://127.0.0.1:{http}/"

    async def open(self) -> None:
        """Connect."""
        stack = AsyncExitStack()
        self.pool = await stack.enter_async_context(
            asyncpg.create_pool(self.url, min_size=AT_ONCE, max_size=AT_ONCE)
        )
        self.aiohttp = await stack.enter_async_context(aiohttp.ClientSession())
        self.httpx = await stack.enter_async_context(httpx.AsyncClient())
        self.streams = [
            await asyncio.open_connection("127.0.0.1", self.echo) for _ in range(AT_ONCE)
        ]
        loop = asyncio.get_running_loop()
        self.pings = [
            (await loop.create_connection(Pings, "127.0.0.1", self.echo))[1] for _ in range(AT_ONCE)
        ]
        self._stack = stack

    async def close(self) -> None:
        """Say goodbye."""
        for _reader, writer in self.streams:
            writer.close()
        for ping in self.pings:
            ping.transport.close()
        await self._stack.aclose()

    async def measure(self) -> dict[str, float]:
        """One round: microseconds of CPU for each kind of operation."""
        parts: dict[str, Callable[[int], Awaitable[None]]] = {
            "asyncpg, pooled row": self._repeat(self._row, AT_ONCE),
            "asyncpg, pooled row, one at a time": self._repeat(self._row, 1),
            "aiohttp, get": self._repeat(self._aiohttp, AT_ONCE),
            "httpx, get": self._repeat(self._httpx, AT_ONCE),
            "streams, line and echo": self._streams,
            "protocol, packet and echo": self._protocol,
        }
        calls = {"httpx, get": 200, "protocol, packet and echo": 4000}
        figures = {}
        for name, part in parts.items():
            if self.only in name:
                count = calls.get(name, 1000)
                before = time.process_time()
                await part(count)
                figures[name] = (time.process_time() - before) / count * 1e6
        return figures

    def _repeat(self, operation: Operation, at_once: int) -> Callable[[int], Awaitable[None]]:
        async def each(count: int) -> None:
            for _ in range(count):
                await operation()

        async def all_of(count: int) -> None:
            await asyncio.gather(*(each(count // at_once) for _ in range(at_once)))

        return all_of

    async def _row(self) -> None:
        async with self.pool.acquire() as connection:
            await connection.fetchrow(ONE, 7)

    async def _aiohttp(self) -> None:
        async with self.aiohttp.get(self.http) as response:
            await response.read()

    async def _httpx(self) -> None:
        (await self.httpx.get(self.http)).read()

    async def _streams(self, count: int) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(count // AT_ONCE):
                writer.write(LINE)
                await writer.drain()
                await reader.readline()

        await asyncio.gather(*(talk(*stream) for stream in self.streams))

    async def _protocol(self, count: int) -> None:
        await asyncio.gather(*(ping.ping(count // AT_ONCE) for ping in self.pings))


def main() -> None:
    """Measure a round for each line of standard input."""
    factory = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
    work = Work(*sys.argv[2:])
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work.open())
        serve_rounds(lambda: runner.run(work.measure()))
        runner.run(work.close())


if __name__ == "__main__":
    main()
