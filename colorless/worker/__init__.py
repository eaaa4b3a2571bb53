"""gunicorn workers on the hub. ``worker_class = "colorless.worker.WSGIWorker"``.

The layers, each importing only those above it (types aside):

    limits       how slow a client may be; what is raised when it is slower, or gone
    parked       connections that wait for their client, by deadline
    turns        at most so many at once
    crew         the green threads that serve requests
    transport    a socket's bytes, never waiting in the hub and never for ever
    body         wsgi.input
    environ      what a connection's environs have in common
    response     gunicorn's response, in one write where it can be
    request      from a head's bytes to an environ
    connection   one client: who reads it, who owns it, when it ends
    serving      one request, from its head to the end of its response
    accept, drain    how connections begin and how the last ones end
    collector        what the garbage collector need not look at
    wsgi         the worker class
"""

from colorless.worker.limits import SAFE_METHODS, ClientDisconnected, ClientTooSlow, Limits
from colorless.worker.wsgi import WSGIWorker

__all__ = ["SAFE_METHODS", "ClientDisconnected", "ClientTooSlow", "Limits", "WSGIWorker"]
