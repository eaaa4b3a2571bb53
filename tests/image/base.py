"""The base image: the official one where it has been pulled, or a stand-in of Debian's packages.

The stand-in is for machines that reach no image registry. What it does not show: the official
image's own files (its Python lives under /usr, linked from /usr/local/bin).
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.image.buildah import buildah

_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"


def base_of(dockerfile: Path) -> str:
    """The image that the Dockerfile's last stage is made from."""
    return re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)[-1]


def ensure(image: str) -> str:
    """Make a stand-in for ``image`` unless there is such an image; says which it is."""
    name = f"docker.io/library/{image}"
    if buildah("images", "--quiet", "--filter", f"reference={name}"):
        return f"{image} is there"
    suite = re.search(r"bookworm|trixie", image)
    assert suite, f"no Debian release in {image}: pull it (buildah pull {image})"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        _bootstrap(suite[0], root)
        _look_like_official(root)
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, str(root), "/")
        path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        buildah("config", "--env", f"PATH={path}", container)
        buildah("commit", "--quiet", "--rm", container, name)
    return f"made a stand-in for {image} from Debian's packages"


def _bootstrap(suite: str, root: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", suite, str(root)]
    done = subprocess.run([*command, *_mirror(suite)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _mirror(suite: str) -> list[str]:
    """Where this machine gets Debian's packages from; none leaves it to debootstrap."""
    if shutil.which("apt-get") is None:
        return []
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE)/$(COMPONENT) $(REPO_URI)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    known = dict(line.split(maxsplit=1) for line in targets)
    place = known.get(f"{suite}/main")
    return [place] if place else []


def _look_like_official(root: Path) -> None:
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    (root / "usr/local/bin/pip").symlink_to("/usr/bin/pip3")
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for package in root.glob("var/cache/apt/archives/*.deb"):
        package.unlink()
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")  # with what this machine trusts
    shutil.copy(certificates, root / "etc/ssl/certs/")
