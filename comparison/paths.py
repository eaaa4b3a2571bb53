"""Where the lab keeps things. What it installs or builds goes under `.lab/`, which git ignores."""

import os
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
CONTENDERS = HERE / "contenders"
SHARED = CONTENDERS / "shared"
QUERIES = HERE / "workload" / "queries.json"
SCHEMA = HERE / "workload" / "schema.sql"
WRK_SCRIPT = HERE / "workload" / "wrk.lua"
LOAD_SOURCE = HERE / "load"
RESULTS = Path(os.environ.get("LAB_RESULTS", HERE / "results"))
CACHE = Path(os.environ.get("LAB_CACHE", REPOSITORY / ".lab"))
TOOLS = CACHE / "tools"
"""The virtual environment of the lab's own toolchains (the Go compiler)."""
LOADER = CACHE / "load"
"""The built open-loop generator."""
