"""Makes sure that there is a rustc: `python -m linkage.toolchain.ensure`, which the scripts in `ci/` call.

It prints which toolchains were found, or installs a stable one into the harness's own rustup folder.
"""

import os
import sys
from collections.abc import Mapping

from linkage.errors import ToolchainError
from linkage.toolchain.sources import Say
from linkage.toolchain.sources.rustup.installation import install, own_home
from linkage.toolchain.spec import Located, discover, resolve


def main() -> int:
    """Make sure that there is a rustc; 0 if so, else the error's exit code with its one line."""
    try:
        found = ensure(os.environ, say=_say)
    except ToolchainError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    _say("toolchains: " + ", ".join(f"{located.name} ({located.rustc})" for located in found))
    return 0


def ensure(env: Mapping[str, str], say: Say) -> list[Located]:
    """The toolchains of a run without `--toolchain`; a stable one is installed if there is none.

    A proxy of rustup without a toolchain does not count. Raises ToolchainError if $RUSTC is wrong, or
    nothing can be installed.
    """
    found = _usable(env)
    if not found:
        say(f"no rustc by $RUSTC, rustup or PATH: installing stable into {own_home(env, 'stable')}")
        install("stable", env)
        found = _usable(env)
    return found


def _usable(env: Mapping[str, str]) -> list[Located]:
    specs = discover(env)
    try:
        return [resolve(spec, env) for spec in specs]
    except ToolchainError:
        if specs == ["rustc"]:
            return []
        raise


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
