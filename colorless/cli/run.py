"""gunicorn with this package's workers and defaults."""

from __future__ import annotations

import os
import sys

from gunicorn.app.wsgiapp import WSGIApplication

from colorless.cli.interface import Interface, InterfaceError
from colorless.cli.probe import interface_of_import
from colorless.compat.gunicorn import load_class
from colorless.cpus import available_cpus

WORKERS = {
    "wsgi": "colorless.worker.WSGIWorker",
    "asgi": "colorless.worker.asgi.ASGIWorker",
}


def run(interface: Interface | None = None) -> None:
    """Serve what the command line in ``sys.argv`` names, until a signal ends it."""
    Runner(interface).run()


class Runner(WSGIApplication):
    """gunicorn's application, with the worker that fits what it serves.

    A worker class on the command line wins over that, and so does one of the configuration file
    that derives from one of ours: that is where ``limits`` are set. Any other of the configuration
    file was chosen for another way to start.
    """

    def __init__(self, interface: Interface | None) -> None:
        self._interface = interface
        super().__init__("%(prog)s run [OPTIONS] module:app", prog="colorless")

    def load_default_config(self) -> None:
        """gunicorn's defaults, and those that it would set differently knowing these workers."""
        super().load_default_config()
        self.cfg.set("workers", available_cpus())
        self.cfg.set("worker_connections", 10_000)
        # Its socket is one for each user: a second server would take the first one's place.
        self.cfg.set("control_socket_disable", True)

    def load_config(self) -> None:
        """Read what gunicorn reads, then choose the worker."""
        super().load_config()
        if self.cfg.parser().parse_args().worker_class is not None:
            return
        interface = self._interface or self._found_interface()
        own, fitting = self._own_worker_class(), load_class(WORKERS[interface])
        if own is None:
            self.cfg.set("worker_class", WORKERS[interface])
        elif not issubclass(own, fitting):
            sys.exit(
                f"colorless: the configuration's worker class {own.__name__} cannot serve "
                f"{self.app_uri}, an {interface.upper()} application: derive it from "
                f"{WORKERS[interface]}"
            )

    def _own_worker_class(self) -> type | None:
        """The configuration's worker class, if it derives from one of ours and is none itself."""
        said = self.cfg.settings["worker_class"].get()
        ours = tuple(map(load_class, WORKERS.values()))
        if isinstance(said, str):
            if "." not in said or said.startswith("colorless."):
                return None
            said = load_class(said)
        return said if issubclass(said, ours) and said not in ours else None

    def _found_interface(self) -> Interface:
        try:
            return interface_of_import(self.app_uri, self._environ())
        except InterfaceError as error:
            sys.exit(f"colorless: {error}")

    def _environ(self) -> dict[str, str]:
        """The environment that a worker will import the application in."""
        paths = [*(self.cfg.pythonpath or "").split(","), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(filter(None, paths))
        return {**os.environ, **self.cfg.env, **({"PYTHONPATH": path} if path else {})}
