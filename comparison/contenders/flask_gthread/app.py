"""Plain synchronous Python: Flask, psycopg2, urllib3, one thread a request."""

import asyncio
import queue
import threading

import msgspec
import nats
import urllib3
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, Response, request
from flask_sock import Sock
from lab_postgres import NATS_URL, SLOW_POOL_SIZE, Message, Pool

app = Flask(__name__)
sock = Sock(app)
pool = Pool()
http = urllib3.PoolManager(maxsize=SLOW_POOL_SIZE)
hasher = PasswordHasher()
encode = msgspec.json.Encoder().encode
streams: dict[int, set[queue.SimpleQueue]] = {}

# nats-py knows no synchronous call, so a loop of its own runs beside the threads.
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
broker = asyncio.run_coroutine_threadsafe(nats.connect(NATS_URL), loop).result()


class NewMessage(msgspec.Struct):
    user: int
    body: str


class Login(msgspec.Struct):
    user: int
    password: str


def answer(thing, status=200):
    return Response(encode(thing), status, mimetype="application/json")


@app.get("/livez")
def livez():
    return Response("ok", mimetype="text/plain")


@app.get("/json")
def json_floor():
    return answer({"message": "Hello, World!"})


@app.get("/slow")
def slow():
    ms = int(request.args["ms"])
    pool.fetch("slow", ms / 1000)
    return answer({"slept": ms})


@app.get("/message/<int:id>")
def one_message(id):
    rows = pool.fetch("message", id)
    return answer(Message(*rows[0])) if rows else answer({"error": "not found"}, 404)


@app.get("/rooms/<int:id>/messages")
def history(id):
    rows = pool.fetch("history", id, int(request.args.get("limit", 50)))
    return answer({"messages": [Message(*row) for row in rows]})


@app.post("/rooms/<int:id>/messages")
def post(id):
    new = msgspec.json.decode(request.get_data(), type=NewMessage)
    [[message_id, created_ms]] = pool.fetch("post", id, new.user, new.body)
    text = encode(Message(message_id, id, new.user, new.body, created_ms))
    for stream in list(streams.get(id, ())):
        stream.put(text)
    return Response(text, 201, mimetype="application/json")


@app.get("/home/<int:user>")
def home(user):
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
def preview():
    url = request.args["url"]
    page = http.request("GET", url).data.decode()
    title = page.partition("<title>")[2].partition("</title>")[0]
    pool.fetch("preview", url, title)
    return answer({"url": url, "title": title})


@app.get("/mixed")
def mixed():
    ms = int(request.args["ms"])
    call = broker.request("lab.echo", b"ping", timeout=30)
    reply = asyncio.run_coroutine_threadsafe(call, loop).result()
    pool.fetch("slow", ms / 1000)
    return answer({"reply": reply.data.decode(), "slept": ms})


@app.post("/login")
def login():
    who = msgspec.json.decode(request.get_data(), type=Login)
    [[stored]] = pool.fetch("password", who.user)
    try:
        hasher.verify(stored, who.password)
    except VerifyMismatchError:
        return answer({"ok": False}, 401)
    return answer({"ok": True})


def subscribe(room):
    inbox = queue.SimpleQueue()
    streams.setdefault(room, set()).add(inbox)
    return inbox


@app.get("/rooms/<int:id>/stream")
def stream(id):
    inbox = subscribe(id)

    def events():
        try:
            yield b": ok\n\n"
            while True:
                yield b"data: " + inbox.get() + b"\n\n"
        finally:
            streams[id].discard(inbox)

    return Response(events(), mimetype="text/event-stream")


@sock.route("/rooms/<int:id>/ws")
def ws(socket, id):
    inbox = subscribe(id)
    try:
        while True:
            socket.send(inbox.get().decode())
    finally:
        streams[id].discard(inbox)
