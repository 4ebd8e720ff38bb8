"""The options of a run, for pytest's plugin and for `linkage run --help`."""

import argparse
from dataclasses import dataclass
from typing import Any

_WIDEST = 1000


@dataclass(frozen=True, slots=True)
class RunOption:
    """An option, as argparse takes it."""

    flags: tuple[str, ...]
    settings: dict[str, Any]


def _option(*flags: str, **settings: Any) -> RunOption:  # noqa: ANN401 - argparse's own
    return RunOption(flags, settings)


def width(text: str) -> int:
    """How many at once, as an option of argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= _WIDEST:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {_WIDEST}, not '{text}'")
    return int(text)


RUN_OPTIONS = (
    _option(
        "--toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="a rustup toolchain, the path of a rustc, sysroot or stage directory, $RUSTC, debian:RELEASE, "
        "or NAME=PATH; may be repeated (default: $RUSTC and all rustup toolchains, else the rustc on PATH)",
    ),
    _option(
        "--other-toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="a toolchain, as for --toolchain, for the steps with `toolchain: other`; may be repeated "
        "(default: every other toolchain of the run)",
    ),
    _option(
        "--target",
        action="append",
        default=[],
        metavar="TRIPLE",
        help="only the variants for this target; a case that names none is built for it. May be repeated, or "
        "name several: A,B",
    ),
    _option(
        "-j",
        "--jobs",
        type=width,
        metavar="N",
        help="run at most N processes and compiler threads at once, over all xdist workers (default: the "
        "number of processors)",
    ),
    _option(
        "--no-skip",
        action="store_true",
        help="report a skipped variant as a failure, for a job whose machine must have every capability",
    ),
    _option(
        "--no-bootstrap",
        action="store_true",
        help="never set RUSTC_BOOTSTRAP=1: skip cases that need it on a stable compiler",
    ),
    _option(
        "--sandbox",
        action="store_true",
        help="run the steps in a sandbox (bubblewrap): without network and other processes, and with all "
        "files read-only but those of the working folder",
    ),
    _option(
        "--store",
        metavar="DIR",
        help="directory of the cache (default: $LINKAGE_STORE, else in the user's cache directory)",
    ),
    _option("--no-store", action="store_true", help="neither read nor write the cache"),
    _option(
        "--store-limit",
        metavar="SIZE",
        help="after the run, remove the least recently used files of the cache beyond SIZE, such as 500M or "
        "2G (default: $LINKAGE_STORE_LIMIT, else 4G)",
    ),
    _option(
        "--recheck",
        metavar="N%",
        help="run this percentage of the cached steps again; report a different outcome as an error",
    ),
    _option(
        "--recheck-seed",
        metavar="SEED",
        type=int,
        help="choose the same steps for --recheck as the run that printed SEED (default: random)",
    ),
)
