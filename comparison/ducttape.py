"""Counts, in a contender's own source, what it takes to bring the two colours together (C3)."""

import io
import re
import tokenize
from collections.abc import Iterable
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


IMPORT = re.compile(r"^(?:from \S+ )?import .*\n", re.MULTILINE)
"""A name counts where it is used, not where it is brought in."""


@dataclass(frozen=True)
class Tape:
    """What stands in one app."""

    lines: int
    """Lines that are neither empty, nor only a comment, nor an import."""
    colour: int
    glue: int


def measure(sources: Iterable[Path]) -> Tape:
    """Count words of code: comments and strings do not count."""
    lines, words = 0, list[str]()
    for path in sources:
        text = IMPORT.sub("", path.read_text())
        words += re.findall(r"\w+", _python_code(text) if path.suffix == ".py" else _code(text))
        lines += sum(bool(line.strip()) and not _is_comment(line) for line in text.splitlines())
    return Tape(lines, sum(word in COLOUR for word in words), sum(word in GLUE for word in words))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def _python_code(text: str) -> str:
    skipped = (tokenize.COMMENT, tokenize.STRING)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return " ".join(token.string for token in tokens if token.type not in skipped)


def _code(text: str) -> str:
    return re.sub(r"//[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`", " ", text)
