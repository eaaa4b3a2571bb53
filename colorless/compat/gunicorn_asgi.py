"""gunicorn's ASGI half: what our ASGI worker uses of it; see :mod:`colorless.compat.gunicorn`.

A module of its own, since the WSGI worker does without it.
"""

from gunicorn.arbiter import Arbiter
from gunicorn.asgi.lifespan import LifespanManager, LifespanStartupFailed
from gunicorn.workers.gasgi import ASGIWorker as StockASGIWorker

__all__ = ["WORKER_BOOT_ERROR", "LifespanManager", "LifespanStartupFailed", "StockASGIWorker"]

# The status with which a worker tells the arbiter that the application cannot start. When it goes:
# whatever the arbiter's ``reap_workers`` compares it with.
WORKER_BOOT_ERROR: int = Arbiter.WORKER_BOOT_ERROR
