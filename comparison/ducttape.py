"""Counts, in a contender's own source, what it takes to bring the two colours together (C3)."""

import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

COLOUR = ("async", "await")
GLUE = (
    "run_in_threadpool",
    "to_thread",
    "from_thread",
    "run_coroutine_threadsafe",
    "call_soon_threadsafe",
    "new_event_loop",
    "run_forever",
    "threadpool",
    "await_",
    "offload",
)
"""Names that carry a call from one colour, or one kind of thread, to another. Ours count too."""


@dataclass(frozen=True)
class Tape:
    """What stands in one app."""

    lines: int
    """Lines that are neither empty nor only a comment."""
    colour: int
    glue: int


def measure(app: Path) -> Tape:
    """Count words of code: comments and strings do not count."""
    text = app.read_text()
    code = _python_code(text) if app.suffix == ".py" else _c_like_code(text)
    words = re.findall(r"\w+", code)
    lines = [line for line in text.splitlines() if line.strip() and not _is_comment(line)]
    return Tape(
        len(lines), sum(word in COLOUR for word in words), sum(word in GLUE for word in words)
    )


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def _python_code(text: str) -> str:
    skipped = (tokenize.COMMENT, tokenize.STRING)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return " ".join(token.string for token in tokens if token.type not in skipped)


def _c_like_code(text: str) -> str:
    return re.sub(r"//[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`", " ", text)
