"""Turns the request corpus of a gunicorn source distribution into corpus.json.

    python -m tests.colorless.server.make_corpus gunicorn-27.0.1/tests > corpus.json

Needed only to take over the cases of a newer gunicorn; CORPUS.md has the licence.
"""

import json
import sys
from pathlib import Path
from typing import Any

from gunicorn.config import Config


def main(tests: Path) -> None:
    """Print the corpus as JSON, one case a line; bytes are written as Latin-1."""
    sys.path.insert(0, str(tests))
    import treq  # type: ignore[import-not-found]

    cases = []
    for kind in ("valid", "invalid"):
        for path in sorted((tests / "requests" / kind).glob("*.http")):
            told = treq.load_py(str(path.with_suffix(".py")))
            cases.append(
                {
                    "name": f"{kind}/{path.stem}",
                    "data": treq.badrequest(str(path)).data.decode("latin-1"),
                    "settings": _changed(told["cfg"]),
                    "expect": _expectation(told["request"]),
                }
            )
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


def _changed(cfg: Config) -> dict[str, Any]:
    default = Config()
    values = {name: setting.get() for name, setting in cfg.settings.items()}
    # A list setting is set by a string.
    return {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name not in ("http_parser", "logger_class") and value != default.settings[name].get()
    }


def _expectation(expect: Any) -> Any:
    """The requests that are read, or the names of the errors one of which is raised."""
    if isinstance(expect, type):
        return [expect.__name__]
    if isinstance(expect, tuple):
        return [error.__name__ for error in expect]
    requests = expect if isinstance(expect, list) else [expect]
    return [
        {
            "method": request["method"],
            "uri": request["uri"]["raw"],
            "version": request["version"],
            "headers": request["headers"],
            "body": _text(request["body"]),
            "trailers": request.get("trailers", []),
        }
        for request in requests
    ]


def _text(body: bytes | str) -> str:
    return body.decode("latin-1") if isinstance(body, bytes) else body


if __name__ == "__main__":
    main(Path(sys.argv[1]))
