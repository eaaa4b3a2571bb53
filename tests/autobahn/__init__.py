"""The Autobahn suite's cases against the ASGI worker: ``python -m tests.autobahn --help``."""
