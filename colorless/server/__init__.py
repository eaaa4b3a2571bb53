"""An HTTP server on the hub, for both colours, under gunicorn's arbiter.

The layers, each importing only those above it:

    gc_tuning  what the garbage collector need not look at
    engine/    connections, heads, keep-alive, deadlines, admission, drain
    request    a request as gunicorn sees it, and its parser over a connection
    host       gunicorn's hooks, access log and error pages, as the interfaces use them
    wsgi/      a request as a WSGI application sees it
    asgi/      a request as an ASGI application sees it
    gunicorn/  the worker classes
"""
