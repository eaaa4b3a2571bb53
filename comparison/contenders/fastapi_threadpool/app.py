"""FastAPI's own answer to synchronous drivers: `def` routes, each on a thread of the pool.

It has as many threads as the larger database pool connections, not anyio's default of 40.
"""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import nats
import urllib3
from anyio import from_thread, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from lab_postgres import NATS_URL, SLOW_POOL_SIZE, Message, Pool
from pydantic import BaseModel

pool = Pool()
http = urllib3.PoolManager(maxsize=SLOW_POOL_SIZE)
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
    to_thread.current_default_thread_limiter().total_tokens = SLOW_POOL_SIZE
    app.state.loop = asyncio.get_running_loop()
    app.state.nats = await nats.connect(NATS_URL)
    yield
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
def slow(ms: int):
    pool.fetch("slow", ms / 1000)
    return answer({"slept": ms})


@app.get("/message/{id}")
def one_message(id: int):
    rows = pool.fetch("message", id)
    return answer(Message(*rows[0])) if rows else answer({"error": "not found"}, 404)


@app.get("/rooms/{id}/messages")
def history(id: int, limit: int = 50):
    rows = pool.fetch("history", id, limit)
    return answer({"messages": [Message(*row) for row in rows]})


@app.post("/rooms/{id}/messages")
def post(id: int, new: NewMessage):
    [[message_id, created_ms]] = pool.fetch("post", id, new.user, new.body)
    text = encode(Message(message_id, id, new.user, new.body, created_ms))
    app.state.loop.call_soon_threadsafe(publish, id, text)
    return Response(text, 201, media_type="application/json")


def publish(room, text):
    for stream in streams.get(room, ()):
        stream.put_nowait(text)


@app.get("/home/{user}")
def home(user: int):
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
def preview(url: str):
    page = http.request("GET", url).data.decode()
    title = page.partition("<title>")[2].partition("</title>")[0]
    pool.fetch("preview", url, title)
    return answer({"url": url, "title": title})


@app.get("/mixed")
def mixed(ms: int):
    reply = from_thread.run(app.state.nats.request, "lab.echo", b"ping", 30)
    pool.fetch("slow", ms / 1000)
    return answer({"reply": reply.data.decode(), "slept": ms})


@app.post("/login")
def login(who: Login):
    [[stored]] = pool.fetch("password", who.user)
    try:
        hasher.verify(stored, who.password)
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
