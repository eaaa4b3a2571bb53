"""Which extra of the distribution brings what a module needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

DISTRIBUTION = "colorless-io"


@contextmanager
def needs_extra(module: str, extra: str) -> Iterator[None]:
    """A ``with`` block of imports that ``module`` needs and that come with ``extra``.

    Raises ``ModuleNotFoundError`` with the line that installs them.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] == "colorless":
            raise
        raise ModuleNotFoundError(
            f"{module} needs {missing}, which is not installed: "
            f"pip install '{DISTRIBUTION}[{extra}]'",
            name=missing,
        ) from error
