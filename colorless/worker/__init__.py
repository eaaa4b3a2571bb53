"""The gunicorn worker class for WSGI: ``worker_class = "colorless.worker.WSGIWorker"``.

The code is in :mod:`colorless.server`; these are the names that settings and applications use.
"""

from colorless.server.engine.limits import SAFE_METHODS, ClientDisconnected, ClientTooSlow, Limits
from colorless.server.gunicorn.wsgi import WSGIWorker

__all__ = ["SAFE_METHODS", "ClientDisconnected", "ClientTooSlow", "Limits", "WSGIWorker"]
