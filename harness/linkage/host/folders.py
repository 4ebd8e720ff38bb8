"""The folders in which the harness keeps data: those of the user, never of the project."""

from collections.abc import Mapping
from pathlib import Path

import platformdirs


def cache_folder(env: Mapping[str, str]) -> Path:
    """The cache of probes; it can be deleted at any time."""
    return Path(env["LINKAGE_CACHE"]) if env.get("LINKAGE_CACHE") else platformdirs.user_cache_path("linkage")


def bisect_folder(env: Mapping[str, str]) -> Path:
    """Where bisections keep toolchains, sessions and what GitHub answered."""
    return cache_folder(env) / "bisect"


def store_folder(option: str | None, env: Mapping[str, str]) -> Path:
    """The store of outcomes: the option, else $LINKAGE_STORE, else a folder in the cache."""
    asked = option or env.get("LINKAGE_STORE")
    return Path(asked).absolute() if asked else cache_folder(env) / "store"


def expand_home(path: str, env: Mapping[str, str]) -> str:
    """The path with the home folder of this environment in place of `~`."""
    return env.get("HOME", "~") + path[1:] if path == "~" or path.startswith("~/") else path
