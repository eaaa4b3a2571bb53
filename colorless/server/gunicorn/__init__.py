"""gunicorn's worker classes: its arbiter, sockets, settings, log, hooks and signals.

settings  what gunicorn's settings say, in the engine's words
worker    what the workers of both colours share
wsgi      the worker class for WSGI
asgi      the worker class for ASGI
stock     gunicorn's own ASGI worker on the same loop, for HTTP/2 and uwsgi
"""
