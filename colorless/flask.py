"""Flask, with less work for each request: ``from colorless.flask import Flask, Response``.

The code is in :mod:`colorless.integrations.flask`; this is the name to import it by.
"""

from colorless.integrations.flask import Flask, Response

__all__ = ["Flask", "Response"]
