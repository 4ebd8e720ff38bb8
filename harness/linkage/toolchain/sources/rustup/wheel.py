"""Installs a wheel from the package index into a folder, however this Python's environment was made.

An environment that `uv venv` made has no pip, so there is a table of ways, tried in order.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask

_TIME_LIMIT = 3600.0
_UV_OPTIONS = (
    ("PIP_INDEX_URL", "--default-index", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")),
    ("PIP_EXTRA_INDEX_URL", "--index", ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
    ("PIP_FIND_LINKS", "--find-links", ("UV_FIND_LINKS",)),
)
"""pip's settings, which uv does not read: uv's option, and uv's own settings, which win."""


class _UnavailableError(Exception):
    """This way cannot be used here; the text is the reason."""


_Words = list[str | Path]
_Way = Callable[[Mapping[str, str], ExitStack], _Words]


def install_wheel(package: str, folder: Path, env: Mapping[str, str]) -> None:
    """Install the package into the folder, with the settings of pip and uv that `env` has.

    Raises ToolchainError with one line that has the error of each way that was tried.
    """
    answers: list[str] = []
    with ExitStack() as stack:
        for name, way in _WAYS:
            try:
                command = way(env, stack)
                answer = ask(
                    [*command, "--target", folder, package], env, who=package, time_limit=_TIME_LIMIT
                )
            except _UnavailableError as error:
                answers.append(f"{name}: {error}")
                continue
            except ToolchainError as error:
                answers.append(f"{name}: {error.what}")
                continue
            if answer.status == 0:
                return
            answers.append(f"{name}: {answer.complaint}")
            if command[2] == "pip":
                break  # another pip reads the same settings, and takes minutes without a network
    raise ToolchainError(f"the wheel `{package}` cannot be installed: {'; '.join(answers)}")


def _own_pip(_env: Mapping[str, str], _stack: ExitStack) -> _Words:
    if not find_spec("pip"):
        raise _UnavailableError(f"{sys.executable} has no pip")
    return _pip(sys.executable)


def _uv(env: Mapping[str, str], _stack: ExitStack) -> _Words:
    if program := shutil.which("uv", path=env.get("PATH")):
        uv = [program]
    elif find_spec("uv"):
        uv = [sys.executable, "-m", "uv"]
    else:
        raise _UnavailableError("not on PATH")
    return [*uv, "pip", "install", "--quiet", "--reinstall", "--python", sys.executable, *_settings(env)]


def _settings(env: Mapping[str, str]) -> list[str]:
    """The settings of pip as options of uv."""
    options = [
        word
        for setting, option, own in _UV_OPTIONS
        if not any(env.get(name) for name in own)
        for value in env.get(setting, "").split()
        for word in (option, value)
    ]
    if env.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        options.append("--no-index")
    return options


def _base_pip(env: Mapping[str, str], _stack: ExitStack) -> _Words:
    """The pip of the interpreter that the environment was made from."""
    base = _base()
    if ask([base, "-c", "import pip"], env, who="pip").status != 0:
        raise _UnavailableError(f"{base} has no pip")
    return _pip(base)


def _new_pip(env: Mapping[str, str], stack: ExitStack) -> _Words:
    """The pip of a new environment: the one that comes with Python, or with the distribution's package."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linkage-pip-")))
    reply = ask([_base(), "-m", "venv", folder], env, who="venv", time_limit=_TIME_LIMIT)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if reply.status != 0:
        raise _UnavailableError(f"`{_base()} -m venv` failed: {reply.summary}")
    return _pip(python)


def _pip(python: str | Path) -> _Words:
    # It runs in this environment, as a setting that requires one (PIP_REQUIRE_VIRTUALENV) wants.
    inside: _Words = [] if python == sys.executable else ["--python", sys.executable]
    return [python, "-m", "pip", *inside, "install", "--quiet", "--no-input", "--upgrade"]


def _base() -> str:
    return str(getattr(sys, "_base_executable", None) or sys.executable)


_WAYS: tuple[tuple[str, _Way], ...] = (
    ("pip", _own_pip),
    ("uv", _uv),
    ("pip of the base interpreter", _base_pip),
    ("pip of a new environment", _new_pip),
)
