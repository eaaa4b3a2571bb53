"""The command line.

interface  tells a WSGI application from an ASGI one
probe      imports an application elsewhere, to tell what it is
run        gunicorn with this package's workers
main       the ``colorless`` command
"""
