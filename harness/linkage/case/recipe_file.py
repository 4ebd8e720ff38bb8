"""Reads recipes for targets: those of the package, and those of a user's project.

`linkage.toml` has the tables `[[linkers]]`, `[[compilers]]`, `[[runners]]` and `[loader-variables]`;
`pyproject.toml` has them as `[[tool.linkage.targets.linkers]]` and so on.
"""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linkage.case.document import parse
from linkage.errors import LinkageError
from linkage.toolchain.recipes import TargetRecipes

_PACKAGE = "linkage.toolchain"
_FILE = "targets.yaml"
_USERS = ("linkage.toml", "pyproject.toml")


@cache
def shipped_recipes() -> TargetRecipes:
    """The recipes of the package."""
    text = files(_PACKAGE).joinpath(_FILE).read_text(encoding="utf-8")
    return TargetRecipes.model_validate(parse(text, _FILE).data)


def recipes_for(folder: Path) -> TargetRecipes:
    """The recipes of a run in this folder: the user's own are tried first.

    Raises LinkageError for a file that cannot be read, or whose recipes make no sense.
    """
    found = shipped_recipes()
    for name in reversed(_USERS):
        own = _own(folder / name)
        if own is not None:
            found = own.before(found)
    return found


def _own(file: Path) -> TargetRecipes | None:
    try:
        data: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror or error}", where=file.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkageError(f"is not TOML: {error}", where=file.name) from None
    place = "" if file.name == _USERS[0] else "tool.linkage.targets."
    for part in filter(None, place.split(".")):
        data = data.get(part, {}) if isinstance(data, dict) else {}
    try:
        return TargetRecipes.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        why = first["msg"].removeprefix("Value error, ")
        help = "docs/targets.md describes the keys"
        raise LinkageError(f"{place}{at}: {why}", where=file.name, help=help) from None
