"""A stranger finds the code by its file names, and a name means one thing.

Each row of the first table is a question that a reader of the tree has, the word to look for in the
names of files, and where the answer is.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import NamedTuple

import pytest

from tests.architecture.source import ROOT, files, name, tree

# So many files may have the word in their path; more are no answer.
MOST_HITS = 3


class Row(NamedTuple):
    """``symbol`` is defined in ``path``, whose docstring has the word ``says``."""

    question: str
    look_for: str
    path: str
    symbol: str
    says: str


ROWS = [
    Row(
        "Where is keep-alive decided?",
        "keepalive",
        "colorless/server/engine/keepalive.py",
        "keeps_alive",
        "keep-alive",
    ),
    Row(
        "Where is a query cancelled?",
        "cancel",
        "colorless/postgres/cancel.py",
        "Canceller",
        "query",
    ),
    Row(
        "Where is call_soon?",
        "ready_queue",
        "colorless/loop/ready_queue.py",
        "call_soon",
        "call_soon",
    ),
    Row(
        "Where are the SSRF rules?",
        "ssrf",
        "service/outside/ssrf.py",
        "is_public",
        "SSRF",
    ),
    Row(
        "Where is 429 decided?",
        "rate_limit",
        "service/api/rate_limit.py",
        "RateLimit",
        "429",
    ),
    Row(
        "Where is a WebSocket frame written?",
        "websocket",
        "service/api/websocket.py",
        "frame",
        "WebSocket frame",
    ),
    Row(
        "Where is a green thread reused?",
        "greenthreads",
        "colorless/greenthreads.py",
        "resting",
        "used again",
    ),
    Row(
        "Where does a message get its number?",
        "store/messages",
        "service/chat/store/messages.py",
        "insert",
        "number",
    ),
    Row(
        "Where is the fallback to psycogreen?",
        "wait_callback",
        "colorless/postgres/wait_callback.py",
        "install",
        "psycogreen",
    ),
    Row(
        "What does SIGTERM do to the service?",
        "signals",
        "service/signals.py",
        "ShutdownSignals",
        "SIGTERM",
    ),
    Row(
        "What ends a worker's connections?",
        "engine/drain",
        "colorless/server/engine/drain.py",
        "drain",
        "graceful_timeout",
    ),
    Row(
        "What sends a stream the events that it missed?",
        "resume",
        "service/chat/live/resume.py",
        "replay",
        "missed",
    ),
    Row(
        "When is a webhook tried again?",
        "retry",
        "service/chat/retry_schedule.py",
        "after_failure",
        "webhook",
    ),
]

# Classes of the same name, and why that is no second meaning.
SAME_MEANING = {
    "Exchange": "the engine's interface of a request being served, and what WSGI makes of it",
    "Response": "a response being sent: Flask's for views, one for each protocol in the server",
    "Task": "a unit of concurrent work with a result: asyncio's in the loop, ours outside of it",
}
# Names that have two meanings still. Nothing is added here; what is renamed is taken out.
PENDING = {"Answer", "Connection", "Runner", "Service", "Settings"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.question)
def test_a_question_leads_to_its_file(row: Row) -> None:
    """The word is in the names of few files, and the right one defines the symbol and says so."""
    hits = [name(path) for path in files("colorless", "service") if row.look_for in name(path)]
    assert row.path in hits
    assert len(hits) <= MOST_HITS, f"{row.look_for!r} is in the names of {hits}"
    module = tree(ROOT / row.path)
    assert row.symbol in _defined(module), f"{row.path} does not define {row.symbol}"
    assert row.says in (ast.get_docstring(module) or ""), f"{row.path} does not say {row.says!r}"


def test_one_name_one_meaning() -> None:
    """No two public classes share a name, except those that mean the same.

    Classes in ``compat`` have the name of the class that they adapt.
    """
    where = defaultdict(list)
    for path in files("colorless", "service"):
        if "compat" in path.parts:
            continue
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(name(path))
    shared = {each: paths for each, paths in where.items() if len(paths) > 1}
    assert {each: shared[each] for each in shared.keys() - SAME_MEANING.keys() - PENDING} == {}
    assert shared.keys() >= SAME_MEANING.keys(), "what is shared no more is taken out of the list"


def _defined(module: ast.Module) -> set[str]:
    """The names of all functions, methods and classes of a module."""
    return {
        node.name
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
