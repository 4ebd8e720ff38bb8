"""What this machine has beside the toolchains: a C compiler, linkers that work, tools on PATH."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ToolchainError
from harness.toolchain import cachefile
from harness.toolchain.ask import ask

LINKERS = ("bfd", "gold", "lld", "mold", "wild")
_COMPILERS = ("cc", "gcc", "clang")
_TIME_LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class Machine:
    """The C compiler, the first line of its `--version`, and the linkers it can link with."""

    cc: Path | None
    cc_version: str
    linkers: frozenset[str]

    def has_linker(self, linker: str) -> bool:
        """Whether `-fuse-ld=<linker>` links a program here; `cc` asks for the default linker."""
        return self.cc is not None if linker == "cc" else linker in self.linkers


def c_compiler(env: Mapping[str, str]) -> Path | None:
    """The compiler that $CC names, else the first of cc, gcc and clang on PATH."""
    names = (env["CC"],) if env.get("CC") else _COMPILERS
    found = (shutil.which(name, path=env.get("PATH")) for name in names)
    return next((Path(path) for path in found if path), None)


def tool(name: str, env: Mapping[str, str]) -> Path | None:
    """The program of this name on PATH."""
    found = shutil.which(name, path=env.get("PATH"))
    return Path(found) if found else None


def examine(cache_dir: Path, env: Mapping[str, str] | None = None) -> Machine:
    """The machine's C compiler and linkers; asked once for each compiler and set of linkers.

    Each linker is asked to link a program, because a compiler takes `-fuse-ld=` for a linker
    that it then does not find.
    """
    env = os.environ if env is None else env
    cc = c_compiler(env)
    if cc is None:
        return Machine(None, "", frozenset())
    remembered = cache_dir / "machine" / f"{_state(cc, env)}.msgpack"
    machine = cachefile.load(remembered, Machine)
    if machine is None:
        machine = _ask_compiler(cc, env)
        cachefile.save(remembered, machine)
    return machine


def _state(cc: Path, env: Mapping[str, str]) -> str:
    """A key that changes where the compiler or a linker on PATH does."""
    state = [str(cc), env.get("PATH", "")]
    for path in (
        cc,
        *(tool(f"ld.{linker}", env) for linker in LINKERS),
        *(tool(name, env) for name in LINKERS),
    ):
        if path:
            found = path.stat()
            state.append(f"{path}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}")
    return hashlib.blake2b("\0".join(state).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _ask_compiler(cc: Path, env: Mapping[str, str]) -> Machine:
    try:
        with tempfile.TemporaryDirectory(prefix="linkage-cc-") as folder:
            (Path(folder) / "main.c").write_text("int main(void) { return 0; }\n")
            version = ask([cc, "--version"], env, who=cc.name, time_limit=_TIME_LIMIT)
            if not _links(cc, env, Path(folder), []):
                return Machine(None, "", frozenset())
            linkers = frozenset(
                linker for linker in LINKERS if _links(cc, env, Path(folder), [f"-fuse-ld={linker}"])
            )
    except ToolchainError:
        return Machine(None, "", frozenset())
    return Machine(cc, next(iter(version.stdout.splitlines()), ""), linkers)


def _links(cc: Path, env: Mapping[str, str], folder: Path, flags: list[str]) -> bool:
    output = folder / "main"
    output.unlink(missing_ok=True)
    answer = ask([cc, *flags, "main.c", "-o", output], env, who=cc.name, time_limit=_TIME_LIMIT, cwd=folder)
    return answer.status == 0 and output.is_file()
