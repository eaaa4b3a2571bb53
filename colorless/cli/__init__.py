"""The command line.

interface  tells a WSGI application from an ASGI one
run        gunicorn with this package's workers
main       the ``colorless`` command
"""
