"""Whether this process is patched. Imports nothing, so that all others can ask here."""

from __future__ import annotations

THE_LINE = "from colorless.patch import patch_everything; patch_everything()"

_patched = False


class NotPatchedError(RuntimeError):
    """``patch_everything()`` has not run in this process; the message has the line to add."""


def is_patched() -> bool:
    """Whether :func:`colorless.patch.patch_everything` has run in this process."""
    return _patched


def mark_patched() -> None:
    """Called by ``patch_everything`` when all of it is done."""
    global _patched
    _patched = True


def require_patched(what: str) -> None:
    """Raise :class:`NotPatchedError` unless the process is patched.

    :param what: the function that needs the patch, as its user names it, for the message.
    """
    if not _patched:
        raise NotPatchedError(
            f"{what} needs a patched process. Add this as the first line of your program "
            f"(of gunicorn.conf.py under gunicorn):\n    {THE_LINE}"
        )
