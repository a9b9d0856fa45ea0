"""How the suite searches: the same examples in every run, so that a change is judged by what it changed.

Hypothesis seeds its search with the numbers and texts of the modules that happen to be loaded; without them neither
an edit elsewhere nor the choice of files to run changes what is searched. ``pytest --hypothesis-profile=searching``
looks for new examples.

And how the processes that tests start find the code, and start soon: there are hundreds. And where files lie.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture.providers import Constants, HypothesisProvider

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("searching", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")
HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]

ROOT = Path(__file__).parents[1]
STARTING = ROOT / "tests" / "starting"

os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (STARTING, ROOT)))
sys.modules["interegular"] = None  # type: ignore[assignment]  # as tests/starting/sitecustomize.py does


MEMORY = Path("/dev/shm")
ROOM = 2 * 2**30
"""Bytes of memory that files may take: twice what those of a whole run take where nothing is removed."""


def pytest_configure(config: pytest.Config) -> None:
    _compile_once(config)
    _keep_files_in_memory()


def _compile_once(config: pytest.Config) -> None:
    """Compile each module once, not in each process, where Python was told to leave no bytecode beside it."""
    if sys.dont_write_bytecode and hasattr(config, "cache"):
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(config.cache.mkdir("bytecode"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def _keep_files_in_memory() -> None:
    """Have ``tmp_path`` lie in memory where there is room, unless somebody says where.

    Thousands of stores are made, and each waits for a disk several times. What is tested does not ask the disk: a
    process that is killed leaves to the next what it has written, wherever that lies.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
