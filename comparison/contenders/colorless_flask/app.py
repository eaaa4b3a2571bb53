"""Flask on Colorless: plain synchronous Python, green from the socket to the database."""

import json
import os
import re

import msgspec
import nats
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import request
from flask_sock import Sock
from gevent.queue import SimpleQueue

from colorless.bridge import await_
from colorless.flask import Flask, Response
from colorless.http import Client
from colorless.offload import offload
from colorless.postgres import Pool
from colorless.tasks import TaskGroup

POOL_SIZE = int(os.environ["POOL_SIZE"])
SLOW_POOL_SIZE = int(os.environ["SLOW_POOL_SIZE"])
QUERIES = {
    name: re.sub(r"\$\d", "%s", sql)
    for name, sql in json.load(open(os.environ["LAB_QUERIES"])).items()
}
app = Flask(__name__)
sock = Sock(app)
database, patient = os.environ["DATABASE_URL"], {"max_waiting": 10_000, "timeout": 30}
pool = Pool(database, max_size=POOL_SIZE, **patient)
slow_pool = Pool(database, max_size=SLOW_POOL_SIZE, **patient)
http = Client()
hasher = PasswordHasher()
encode = msgspec.json.Encoder().encode
streams: dict[int, set[SimpleQueue]] = {}
broker = await_(nats.connect(os.environ["NATS_URL"]))


class Message(msgspec.Struct, gc=False):
    id: int
    room: int
    user: int
    body: str
    created_ms: int


class NewMessage(msgspec.Struct):
    user: int
    body: str


class Login(msgspec.Struct):
    user: int
    password: str


def fetch(name, *params):
    with pool.connection() as connection:
        return connection.fetch_all(QUERIES[name], params)


def sleep(ms):
    with slow_pool.connection() as connection:
        connection.execute(QUERIES["slow"], (ms / 1000,))


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
    sleep(ms)
    return answer({"slept": ms})


@app.get("/message/<int:id>")
def one_message(id):
    rows = fetch("message", id)
    return answer(Message(*rows[0])) if rows else answer({"error": "not found"}, 404)


@app.get("/rooms/<int:id>/messages")
def history(id):
    rows = fetch("history", id, int(request.args.get("limit", 50)))
    return answer({"messages": [Message(*row) for row in rows]})


@app.post("/rooms/<int:id>/messages")
def post(id):
    new = msgspec.json.decode(request.get_data(), type=NewMessage)
    [[message_id, created_ms]] = fetch("post", id, new.user, new.body)
    text = encode(Message(message_id, id, new.user, new.body, created_ms))
    for stream in list(streams.get(id, ())):
        stream.put(text)
    return Response(text, 201, mimetype="application/json")


@app.get("/home/<int:user>")
def home(user):
    names = ("user", "rooms", "unseen", "latest")
    with TaskGroup() as group:
        tasks = [group.go(fetch, name, user) for name in names]
    [who], rooms, unseen, latest = (task.get() for task in tasks)
    return answer(
        {
            "user": {"id": who[0], "name": who[1]},
            "rooms": [{"id": id, "name": name} for id, name in rooms],
            "unseen": unseen[0][0],
            "latest": [{"id": id, "body": body} for id, body in latest],
        }
    )


@app.get("/preview")
def preview():
    url = request.args["url"]
    page = http.get(url).content.decode()
    title = page.partition("<title>")[2].partition("</title>")[0]
    with pool.connection() as connection:
        connection.execute(QUERIES["preview"], (url, title))
    return answer({"url": url, "title": title})


@app.get("/mixed")
def mixed():
    ms = int(request.args["ms"])
    reply = await_(broker.request("lab.echo", b"ping", timeout=30))
    sleep(ms)
    return answer({"reply": reply.data.decode(), "slept": ms})


@app.post("/login")
def login():
    who = msgspec.json.decode(request.get_data(), type=Login)
    [[stored]] = fetch("password", who.user)
    try:
        offload(hasher.verify, stored, who.password)
    except VerifyMismatchError:
        return answer({"ok": False}, 401)
    return answer({"ok": True})


def subscribe(room):
    inbox = SimpleQueue()
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
