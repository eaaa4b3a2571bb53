"""Build and run images without a daemon: buildah, with its plainest storage and isolation.

Nothing of it needs namespaces or a kernel module, so that it also works inside a container or a
small virtual machine. What it does not show: namespaces, cgroup limits, and a health check being
carried out by the runtime (its command is run here instead).
"""

import ast
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

_ENVIRONMENT = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot", **os.environ}


def buildah(*arguments: str) -> str:
    """Run one command; returns what it prints."""
    try:
        done = subprocess.run(
            ["buildah", *arguments], capture_output=True, text=True, env=_ENVIRONMENT, check=False
        )
    except FileNotFoundError:
        raise SystemExit("make image-test needs: apt-get install buildah debootstrap") from None
    assert done.returncode == 0, f"buildah {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def build(folder: Path, name: str) -> dict[str, Any]:
    """Build the Dockerfile in ``folder``; returns the image's configuration."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as secret:
        options, paths = _pip_options()
        secret.write("[global]\n" + "".join(f"{key} = {it}\n" for key, it in options.items()))
        secret.flush()
        volumes = [f"--volume={path}:{path}:ro" for path in paths]
        buildah(
            *("bud", "--format=docker", "--pull=false", f"--tag={name}"),
            *(f"--secret=id=pip.conf,src={secret.name}", *volumes, str(folder)),
        )
    described = json.loads(buildah("inspect", "--type=image", name))
    configuration: dict[str, Any] = described["Docker"]["config"]
    return configuration


def _pip_options() -> tuple[dict[str, str], list[str]]:
    """How pip is set up on this machine, and the folders and files that its set-up names."""
    listed = subprocess.run(
        ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    options = {}
    for line in sorted(listed.splitlines(), reverse=True):  # the environment's (:env:) win
        name, _, value = line.partition("=")
        options[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    words = [word for value in options.values() for word in value.split()]
    # The pages of an index (a file:// address) link to files beside it, so its parent is needed.
    paths = {Path(word) for word in words if word.startswith("/")}
    paths |= {Path(word.removeprefix("file://")).parent for word in words if "file:///" in word}
    return options, sorted(str(path) for path in paths if path.exists())


@contextmanager
def container(image: str) -> Iterator[str]:
    """The name of a container of ``image``, removed at the end."""
    name = buildah("from", "--pull-never", image)
    try:
        yield name
    finally:
        buildah("rm", name)


def start(name: str, command: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    """Start ``command`` in the container as the image's own user."""
    variables = [f"--env={key}={value}" for key, value in env.items()]
    return subprocess.Popen(
        ["buildah", "run", *variables, name, "--", *command],
        env=_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(name: str, command: list[str], env: dict[str, str]) -> tuple[int, str]:
    """Run ``command`` in the container to its end; returns its status and output."""
    process = start(name, command, env)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def first_process(run: subprocess.Popen[str], name: str) -> psutil.Process:
    """The container's process 1: the first below buildah's own whose command line has ``name``.

    Without a PID namespace it has another number, and signals have to go to that.
    """
    for process in psutil.Process(run.pid).children(recursive=True):
        line = process.cmdline()
        if line and "buildah" not in line[0] and any(name in word for word in line):
            return process
    raise AssertionError(f"no process of {name} below {run.pid}")
