"""The service with one view more, for what only a request inside a worker can show."""

import subprocess

from service.wsgi import app


@app.get("/run")
def run() -> str:
    """Start a program and wait for its end."""
    return subprocess.run(["echo", "it ran"], capture_output=True, text=True, check=True).stdout
