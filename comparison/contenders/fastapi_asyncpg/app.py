"""The async variant, native all the way down: FastAPI, asyncpg, aiohttp, nats-py."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import msgspec
import nats
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

QUERIES = json.load(open(os.environ["LAB_QUERIES"]))
POOL_SIZE = int(os.environ["POOL_SIZE"])
SLOW_POOL_SIZE = int(os.environ["SLOW_POOL_SIZE"])
hasher = PasswordHasher()
encode = msgspec.json.Encoder().encode
streams: dict[int, set[asyncio.Queue]] = {}


class Message(msgspec.Struct, gc=False):
    id: int
    room: int
    user: int
    body: str
    created_ms: int


class NewMessage(BaseModel):
    user: int
    body: str


class Login(BaseModel):
    user: int
    password: str


async def keep(connection):
    """Called when a connection goes back: nothing here changes its state, so nothing is reset."""


@asynccontextmanager
async def lifespan(app):
    database, lazy = os.environ["DATABASE_URL"], {"min_size": 0, "reset": keep}
    app.state.pool = await asyncpg.create_pool(database, max_size=POOL_SIZE, **lazy)
    app.state.slow_pool = await asyncpg.create_pool(database, max_size=SLOW_POOL_SIZE, **lazy)
    app.state.nats = await nats.connect(os.environ["NATS_URL"])
    app.state.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    yield
    await app.state.http.close()
    await app.state.nats.close()
    app.state.pool.terminate()
    app.state.slow_pool.terminate()


app = FastAPI(lifespan=lifespan, openapi_url=None)


def answer(thing, status=200):
    return Response(encode(thing), status, media_type="application/json")


async def fetch(name, *params):
    return await app.state.pool.fetch(QUERIES[name], *params)


async def sleep(ms):
    await app.state.slow_pool.execute(QUERIES["slow"], ms / 1000)


@app.get("/livez")
async def livez():
    return Response(b"ok", media_type="text/plain")


@app.get("/json")
async def json_floor():
    return answer({"message": "Hello, World!"})


@app.get("/slow")
async def slow(ms: int):
    await sleep(ms)
    return answer({"slept": ms})


@app.get("/message/{id}")
async def one_message(id: int):
    rows = await fetch("message", id)
    return answer(Message(*rows[0])) if rows else answer({"error": "not found"}, 404)


@app.get("/rooms/{id}/messages")
async def history(id: int, limit: int = 50):
    rows = await fetch("history", id, limit)
    return answer({"messages": [Message(*row) for row in rows]})


@app.post("/rooms/{id}/messages")
async def post(id: int, new: NewMessage):
    [[message_id, created_ms]] = await fetch("post", id, new.user, new.body)
    text = encode(Message(message_id, id, new.user, new.body, created_ms))
    for stream in streams.get(id, ()):
        stream.put_nowait(text)
    return Response(text, 201, media_type="application/json")


@app.get("/home/{user}")
async def home(user: int):
    who, rooms, unseen, latest = await asyncio.gather(
        fetch("user", user), fetch("rooms", user), fetch("unseen", user), fetch("latest", user)
    )
    return answer(
        {
            "user": {"id": who[0][0], "name": who[0][1]},
            "rooms": [{"id": id, "name": name} for id, name in rooms],
            "unseen": unseen[0][0],
            "latest": [{"id": id, "body": body} for id, body in latest],
        }
    )


@app.get("/preview")
async def preview(url: str):
    async with app.state.http.get(url) as reply:
        page = await reply.text()
    title = page.partition("<title>")[2].partition("</title>")[0]
    await fetch("preview", url, title)
    return answer({"url": url, "title": title})


@app.get("/mixed")
async def mixed(ms: int):
    reply = await app.state.nats.request("lab.echo", b"ping", timeout=30)
    await sleep(ms)
    return answer({"reply": reply.data.decode(), "slept": ms})


@app.post("/login")
async def login(who: Login):
    [[stored]] = await fetch("password", who.user)
    try:
        await asyncio.to_thread(hasher.verify, stored, who.password)
    except VerifyMismatchError:
        return answer({"ok": False}, 401)
    return answer({"ok": True})


def subscribe(room):
    queue = asyncio.Queue()
    streams.setdefault(room, set()).add(queue)
    return queue


@app.get("/rooms/{id}/stream")
async def stream(id: int):
    queue = subscribe(id)

    async def events():
        try:
            yield b": ok\n\n"
            while True:
                yield b"data: " + await queue.get() + b"\n\n"
        finally:
            streams[id].discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


@app.websocket("/rooms/{id}/ws")
async def ws(id: int, socket: WebSocket):
    await socket.accept()
    queue = subscribe(id)

    async def send():
        while True:
            await socket.send_text((await queue.get()).decode())

    sender = asyncio.create_task(send())
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        sender.cancel()
        streams[id].discard(queue)
