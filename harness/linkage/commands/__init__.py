"""The subcommands of `linkage`: a module each, with `add_arguments(parser)` and `run(arguments) -> int`."""

import argparse

from linkage.host.files import OutputFile
from linkage.run.options import RUN_OPTIONS


def add_cases(parser: argparse.ArgumentParser) -> None:
    """The cases that a command is about."""
    parser.add_argument(
        "cases",
        nargs="*",
        default=[],
        metavar="CASE",
        help="a case file, a directory of them, or a variant: CASE[VARIANT] (default: cases)",
    )


def add_keywords(parser: argparse.ArgumentParser) -> None:
    """Which variants of the cases a command is about."""
    parser.add_argument(
        "-k", dest="chosen", metavar="EXPR", help="only variants that match, such as `cdylib and not lto=fat`"
    )


def add_shipped(parser: argparse.ArgumentParser) -> None:
    """The cases of the package itself."""
    parser.add_argument(
        "--shipped",
        action="store_true",
        help="the cases that come with linkage; `shipped:dylib-lto` as a CASE is one directory of them",
    )


def named_cases(arguments: argparse.Namespace) -> list[str]:
    """The cases that the arguments name, or else the directory `cases`."""
    shipped = ["shipped:"] if getattr(arguments, "shipped", False) else []
    return [*shipped, *arguments.cases] or ["cases"]


def add_toolchains(parser: argparse.ArgumentParser) -> None:
    """The toolchains that a command is about."""
    parser.add_argument(
        "--toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="a rustup toolchain, the path of a rustc, sysroot or stage directory, $RUSTC, debian:RELEASE, "
        "or NAME=PATH; may be repeated",
    )


def add_others(parser: argparse.ArgumentParser) -> None:
    """The toolchains for steps with `toolchain: other`."""
    _add_run_option(parser, "--other-toolchain")


def add_targets(parser: argparse.ArgumentParser) -> None:
    """The targets that a command is about."""
    _add_run_option(parser, "--target")


def output(arguments: argparse.Namespace, option: str) -> OutputFile | None:
    """The file that an option names, which has been seen to be writable. Raises LinkageError."""
    place: str | None = getattr(arguments, option.lstrip("-"))
    return None if place is None else OutputFile(place, option, parents=option == "--junitxml")


def add_store(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """The cache that a command uses."""
    parser.add_argument(
        "--store",
        default=default,
        metavar="DIR",
        help="directory of the cache (default: $LINKAGE_STORE, else in the user's cache directory)",
    )


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Whether the steps run in a sandbox."""
    _add_run_option(parser, "--sandbox")


def _add_run_option(parser: argparse.ArgumentParser, flag: str) -> None:
    """An option that means what it means for `linkage run`."""
    (option,) = (one for one in RUN_OPTIONS if one.flags == (flag,))
    parser.add_argument(*option.flags, **option.settings)
