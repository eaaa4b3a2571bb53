"""The gunicorn worker class for ASGI: ``worker_class = "colorless.worker.asgi.ASGIWorker"``."""

from colorless.server.asgi.stock import StockASGIWorker
from colorless.server.asgi.worker import ASGIWorker

__all__ = ["ASGIWorker", "StockASGIWorker"]
