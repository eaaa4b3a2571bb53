"""The gunicorn worker class for ASGI: ``worker_class = "colorless.worker.asgi.ASGIWorker"``."""

from colorless.server.gunicorn.asgi import ASGIWorker
from colorless.server.gunicorn.stock import StockASGIWorker

__all__ = ["ASGIWorker", "StockASGIWorker"]
