"""Mounts for a store that cannot be written: full disks and read-only ones, for as long as a command."""

import os
import shutil
import subprocess
from functools import cache

import pytest


@cache
def can_mount() -> bool:
    """Whether this user can mount something, as root or in a namespace of their own.

    Where CI is expected to have it and does not, the test fails.
    """
    if shutil.which("unshare") is None:
        found = False
    else:
        tried = in_namespace("mount -t tmpfs none /mnt", [])
        found = subprocess.run(tried, capture_output=True, check=False).returncode == 0
    if not found and os.environ.get("CI"):
        pytest.fail("nothing can be mounted here, as root or with `unshare -rm`: CI is expected to have that")
    return found


def in_namespace(script: str, arguments: list[str]) -> list[str]:
    """The command that runs a shell script whose mounts are its own."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, "--mount", "sh", "-euc", script, "sh", *arguments]
