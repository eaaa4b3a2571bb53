"""``python -m tests.package DIST``: what is left to do once a folder has been built and checked."""

import re
import sys
from pathlib import Path

import colorless

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print it, with the commands as they are to be typed."""
    folder, version = Path(sys.argv[1]), colorless.__version__
    entry = re.search(rf"^## {re.escape(version)}\b.*", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert entry is not None, f"CHANGELOG.md has no section {version}"
    print(f"""
{folder}/ holds version {version}, built and checked. The change log says: {entry[0]}

What is left to do:
  1. git tag -s v{version} && git push origin v{version}
  2. twine upload --repository testpypi {folder}/*
     and look at the page; then, in an empty environment:
     pip install --index-url https://test.pypi.org/simple/ \\
         --extra-index-url https://pypi.org/simple/ colorless-io=={version}
  3. twine upload {folder}/*
  4. make image-test, then push the image under the tag {version}
  5. colorless/__init__.py: the next version""")


if __name__ == "__main__":
    main()
