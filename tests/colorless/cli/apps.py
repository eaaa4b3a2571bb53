"""Applications to serve: one of each interface, written as their users write them."""

import multiprocessing
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio.from_thread
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from flask import Flask

PARTY = 8

happened: list[str] = []
guests: dict[str, int] = {}


def meet(place: str) -> int:
    """Wait, by blocking, until PARTY callers are here at the same time."""
    guests[place] = guests.get(place, 0) + 1
    while guests[place] < PARTY:
        time.sleep(0.005)
    return guests[place]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    happened.append("started")
    yield
    print("lifespan ended", flush=True)


asgi = FastAPI(lifespan=lifespan)
wsgi = Flask(__name__)


@asgi.get("/happened")
async def what_happened() -> list[str]:
    return happened


@asgi.get("/meet/async")
async def meet_in_coroutine() -> int:
    return meet("async")


@asgi.get("/meet/def")
def meet_in_function() -> int:
    return meet("def")


@asgi.get("/meet/threadpool")
async def meet_in_threadpool() -> int:
    return await run_in_threadpool(meet, "threadpool")


@asgi.get("/processes")
def compute_in_processes() -> list[int]:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, range(-2, 0))


@asgi.get("/from-thread")
def back_into_the_loop() -> str:
    async def tell() -> str:
        return threading.current_thread().name

    return anyio.from_thread.run(tell)


@asgi.get("/background")
async def leave_work_behind(background: BackgroundTasks) -> None:
    background.add_task(happened.append, "background")


@asgi.get("/stream")
async def stream() -> StreamingResponse:
    def numbers() -> Iterator[str]:
        for number in range(3):
            time.sleep(0.001)
            yield f"{number}\n"

    return StreamingResponse(numbers())


@asgi.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        time.sleep(0.001)
        await socket.send_text(text.upper())


@wsgi.get("/meet")
def meet_in_view() -> str:
    return str(meet("wsgi"))
