"""An HTTP server on the hub, for both colours, under gunicorn's arbiter.

The layers, each importing only those above it (types aside):

    engine/    connections, heads, deadlines, admission, drain
    wsgi/      a request as a WSGI application sees it
    gc_tuning  what the garbage collector need not look at
    gunicorn   the worker class for WSGI
    asgi/      the same for ASGI
"""
