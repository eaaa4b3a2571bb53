"""gunicorn's gthread worker: whether this process is one. See :mod:`colorless.compat.gunicorn`.

A module of its own, since who patches need not have gunicorn.
"""

from __future__ import annotations

import sys
from types import FrameType


def is_threaded_worker() -> bool:
    """Whether this is called from within a worker of the class ``gthread``, by what it imports.

    Such a worker has made its threads and its selector before it imports the application. When the
    module or the class is called differently: such a worker hangs again at its first request.
    """
    gthread = sys.modules.get("gunicorn.workers.gthread")
    if gthread is None:
        return False
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), gthread.ThreadWorker):
            return True
        frame = frame.f_back
    return False
