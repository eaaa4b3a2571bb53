"""HTTP clients and servers written for asyncio, at work on the hub."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import anyio.from_thread
import gevent
import httpx
import pytest
import requests
import uvicorn
from aiohttp import web
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.testclient import TestClient
from gevent.event import Event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from colorless.bridge import await_, entered, iterate
from colorless.bridge.shared import current_loop

log: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    log.append("startup")
    yield
    log.append("shutdown")


app = FastAPI(lifespan=lifespan)
together = 0
all_here = Event()


@app.get("/json")
async def json() -> dict[str, str]:
    return {"colour": "green"}


@app.get("/meet")
async def meet() -> int:
    """Waits green, with no wrapper, until eight requests are here: the trap, if it blocked."""
    global together
    together += 1
    if together % 8 == 0:
        all_here.set()
    assert all_here.wait(10)
    return together


@app.get("/sync")
def sync() -> str:
    """A plain route: Starlette runs it in one of anyio's threads, which is a green one."""
    time.sleep(0.001)
    return anyio.from_thread.run(echo, "from a thread")


async def echo(text: str) -> str:
    await asyncio.sleep(0)
    return text


@app.get("/pool")
async def pool() -> str:
    return await run_in_threadpool(lambda: "threadpool")


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"part {number}\n".encode()
            await asyncio.sleep(0.001)

    return StreamingResponse(parts())


@app.post("/later")
async def later(tasks: BackgroundTasks) -> str:
    tasks.add_task(log.append, "background")
    return "accepted"


@app.websocket("/ws")
async def shout(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text.upper())


@contextmanager
def uvicorn_serving() -> Iterator[str]:
    """The application under uvicorn, which runs asyncio.run in a green thread of its own."""
    config = uvicorn.Config(app, port=0, log_level="warning", loop="none", http="httptools")
    server = uvicorn.Server(config)
    thread = gevent.spawn(server.run)
    while not server.started:
        gevent.sleep(0.005)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert thread.dead


def test_uvicorn_serves_an_unmodified_fastapi_application() -> None:
    """Routes of both colours, streams, background tasks, lifespan; requests is the client."""
    log.clear()
    with uvicorn_serving() as url:
        assert requests.get(f"{url}/json", timeout=5).json() == {"colour": "green"}
        assert requests.get(f"{url}/sync", timeout=5).json() == "from a thread"
        assert requests.get(f"{url}/pool", timeout=5).json() == "threadpool"
        assert requests.get(f"{url}/stream", timeout=5).text == "part 0\npart 1\npart 2\n"
        assert requests.post(f"{url}/later", timeout=5).json() == "accepted"
        clients = [gevent.spawn(requests.get, f"{url}/meet", timeout=10) for _ in range(8)]
        gevent.joinall(clients, raise_error=True)
        assert {client.get().status_code for client in clients} == {200}
    assert log == ["startup", "background", "shutdown"]


def test_httpx_from_plain_code() -> None:
    """A long-lived AsyncClient: parallel requests and a streamed answer."""
    with uvicorn_serving() as url, entered(httpx.AsyncClient(base_url=url)) as client:
        calls = [gevent.spawn(await_, client.get("/json")) for _ in range(10)]
        gevent.joinall(calls, raise_error=True)
        assert all(call.get().json() == {"colour": "green"} for call in calls)
        with entered(client.stream("GET", "/stream")) as response:
            assert list(iterate(response.aiter_lines())) == ["part 0", "part 1", "part 2"]


def test_starlettes_test_client() -> None:
    """Its portal is a green thread with a loop of its own."""
    log.clear()
    with TestClient(app) as client:
        assert client.get("/json").json() == {"colour": "green"}
        assert client.get("/sync").json() == "from a thread"
        with client.websocket_connect("/ws") as socket:
            socket.send_text("loud")
            assert socket.receive_text() == "LOUD"
    assert log == ["startup", "shutdown"]


def test_a_fastapi_websocket_under_uvicorn() -> None:
    """Spoken to by aiohttp's client on the shared loop."""
    with (
        uvicorn_serving() as url,
        entered(aiohttp.ClientSession) as session,
        entered(session.ws_connect(f"{url}/ws")) as socket,
    ):
        await_(socket.send_str("loud"))
        assert await_(socket.receive_str()) == "LOUD"


async def aiohttp_application() -> tuple[web.AppRunner, str]:
    async def green(request: web.Request) -> web.Response:
        time.sleep(0.01)  # it waits green
        return web.json_response({"seen": await request.text()})

    async def sse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for number in range(3):
            await response.write(f"data: {number}\n".encode())
            await asyncio.sleep(0)
        return response

    application = web.Application()
    application.add_routes([web.post("/green", green), web.get("/sse", sse)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


def test_aiohttps_server_and_client() -> None:
    """Server and client on the shared loop, the client driven by green threads."""
    runner, url = await_(aiohttp_application())
    try:
        with entered(aiohttp.ClientSession) as session:

            def post(number: int) -> Any:
                with entered(session.post(f"{url}/green", data=str(number))) as response:
                    return await_(response.json())

            calls = [gevent.spawn(post, number) for number in range(20)]
            gevent.joinall(calls, raise_error=True)
            assert [call.get() for call in calls] == [{"seen": str(n)} for n in range(20)]
            with entered(session.get(f"{url}/sse")) as response:
                lines = list(iterate(response.content))
            assert lines == [b"data: 0\n", b"data: 1\n", b"data: 2\n"]
    finally:
        await_(runner.cleanup())


def test_aiohttps_keys_can_be_made_in_a_coroutine() -> None:
    """They look for the main module's frame, which is at the bottom of every coroutine's stack."""

    async def make() -> str:
        return str(web.AppKey("database", str))

    assert "__main__.database" in asyncio.run(make())
    assert "__main__.database" in await_(make())


def test_aiohttp_notices_a_timeout() -> None:
    """Its timers and the loop's agree."""

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                await session.get(
                    f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(total=0.05)
                )
        server.close()

    asyncio.run(main())


def test_the_shared_loop_belongs_to_the_main_thread() -> None:
    """Servers that ask for the main thread before they listen to signals find it."""

    async def ask() -> threading.Thread:
        return threading.current_thread()

    assert await_(ask()) is threading.main_thread()
    assert current_loop().is_running()
