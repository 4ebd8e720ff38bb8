"""Runs a WebAssembly command with the Python package wasmtime: `python -m … PROGRAM.wasm ARGUMENT…`.

The module sees the folder in which it is run, the arguments and the environment. Its exit status is this
process's; a trap is 134, as of wasmtime's own command. A module without `_start` is called through `main`.
"""

import os
import sys
from typing import Any

_TRAP = 134
_NO_WASMTIME = 127


def main(arguments: list[str]) -> int:
    """Run the module that the first argument names; the exit status."""
    try:
        import wasmtime  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - it is optional
    except ImportError:
        sys.stderr.write("error: no Python package `wasmtime` (help: pip install 'rustc-linkage[wasm]')\n")
        return _NO_WASMTIME
    engine = wasmtime.Engine()
    linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
    linker.define_wasi()
    settings = wasmtime.WasiConfig()
    settings.argv = arguments
    settings.env = list(os.environ.items())
    settings.inherit_stdin()
    settings.inherit_stdout()
    settings.inherit_stderr()
    settings.preopen_dir(".", ".")
    store.set_wasi(settings)
    try:
        module = wasmtime.Module.from_file(engine, arguments[0])
        exports: Any = linker.instantiate(store, module).exports(store)
        status = exports["_start"](store) if "_start" in exports else exports["main"](store, 0, 0)
    except wasmtime.ExitTrap as exit_:
        return int(exit_.code)
    except (wasmtime.Trap, wasmtime.WasmtimeError, KeyError, OSError) as error:
        sys.stderr.write(f"error: {arguments[0]}: {error}\n")
        return _TRAP
    return int(status or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
