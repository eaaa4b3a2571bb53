"""The trap of the debate: `async def` routes over a synchronous database driver.

Everything else is done well: aiohttp and nats-py are awaited, the password goes to a thread.
"""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import nats
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from lab_postgres import NATS_URL, Message, Pool
from pydantic import BaseModel

pool = Pool()
hasher = PasswordHasher()
encode = msgspec.json.Encoder().encode
streams: dict[int, set[asyncio.Queue]] = {}


class NewMessage(BaseModel):
    user: int
    body: str


class Login(BaseModel):
    user: int
    password: str


@asynccontextmanager
async def lifespan(app):
    app.state.nats = await nats.connect(NATS_URL)
    app.state.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    yield
    await app.state.http.close()
    await app.state.nats.close()


app = FastAPI(lifespan=lifespan, openapi_url=None)


def answer(thing, status=200):
    return Response(encode(thing), status, media_type="application/json")


@app.get("/livez")
async def livez():
    return Response(b"ok", media_type="text/plain")


@app.get("/json")
async def json_floor():
    return answer({"message": "Hello, World!"})


@app.get("/slow")
async def slow(ms: int):
    pool.fetch("slow", ms / 1000)
    return answer({"slept": ms})


@app.get("/message/{id}")
async def one_message(id: int):
    rows = pool.fetch("message", id)
    return answer(Message(*rows[0])) if rows else answer({"error": "not found"}, 404)


@app.get("/rooms/{id}/messages")
async def history(id: int, limit: int = 50):
    rows = pool.fetch("history", id, limit)
    return answer({"messages": [Message(*row) for row in rows]})


@app.post("/rooms/{id}/messages")
async def post(id: int, new: NewMessage):
    [[message_id, created_ms]] = pool.fetch("post", id, new.user, new.body)
    text = encode(Message(message_id, id, new.user, new.body, created_ms))
    for stream in streams.get(id, ()):
        stream.put_nowait(text)
    return Response(text, 201, media_type="application/json")


@app.get("/home/{user}")
async def home(user: int):
    [who] = pool.fetch("user", user)
    rooms, latest = pool.fetch("rooms", user), pool.fetch("latest", user)
    return answer(
        {
            "user": {"id": who[0], "name": who[1]},
            "rooms": [{"id": id, "name": name} for id, name in rooms],
            "unseen": pool.fetch("unseen", user)[0][0],
            "latest": [{"id": id, "body": body} for id, body in latest],
        }
    )


@app.get("/preview")
async def preview(url: str):
    async with app.state.http.get(url) as reply:
        page = await reply.text()
    title = page.partition("<title>")[2].partition("</title>")[0]
    pool.fetch("preview", url, title)
    return answer({"url": url, "title": title})


@app.get("/mixed")
async def mixed(ms: int):
    reply = await app.state.nats.request("lab.echo", b"ping", timeout=30)
    pool.fetch("slow", ms / 1000)
    return answer({"reply": reply.data.decode(), "slept": ms})


@app.post("/login")
async def login(who: Login):
    [[stored]] = pool.fetch("password", who.user)
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
