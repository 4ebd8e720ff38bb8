"""The command `linkage`: one word for each thing that a user does. Imports only what that word needs."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from linkage.dependencies import check_dependencies, explain_import_error
from linkage.errors import ExitCode, LinkageError

if TYPE_CHECKING:
    from linkage.commands.compare import Options

_EPILOG = (
    "Exit status: 0 all as expected, 1 something is not, 2 interrupted, 4 wrong input, 5 nothing was run."
)

_STOP = 255
"""What ends a `git bisect run`, which takes 1 to 127 for an answer: nothing else may be one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command is not _run:
        arguments.parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        return _call(arguments)
    except LinkageError as error:
        print(f"linkage: {error}", file=sys.stderr)
        return _STOP if arguments.command is _probe else int(error.exit_code)
    except KeyboardInterrupt:
        print("linkage: interrupted", file=sys.stderr)
        return _STOP if arguments.command is _probe else int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)


def _call(arguments: argparse.Namespace) -> int:
    check_dependencies()
    try:
        return int(arguments.command(arguments))
    except ImportError:
        explain_import_error()
        raise


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_wrong(self.prog), f"{self.prog}: {message} (help: {self.prog} --help)\n")


def _wrong(command: str) -> int:
    return _STOP if command.endswith(" probe") else int(ExitCode.USAGE)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="linkage", description="Linkage regression tests for rustc.", epilog=_EPILOG, allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    run = _command(commands, "run", _run, "run cases and show what came out")
    run.usage = (
        "linkage run [CASE ...] [--toolchain SPEC] [--json FILE] [--no-store] [--recheck N%%] "
        "[pytest's options: -k, -m, -n, -x, --lf, …]"
    )
    _shipped(run)
    run.add_argument("--json", metavar="FILE", help="write every verdict for a machine to read")

    listing = _command(commands, "list", _list, "list cases and their variants, without compiling")
    _shipped(listing)
    listing.add_argument("paths", nargs="*", metavar="CASE", help="case files or folders (default: cases)")

    explain = _command(
        commands, "explain", _explain, "print a case's variants, command lines and claims, without compiling"
    )
    explain.add_argument("case", metavar="CASE[VARIANT]", help="a case file, or a node id")
    _toolchains(explain)

    inspect = _command(commands, "inspect", _inspect, "print what the readers see in artifacts")
    inspect.add_argument("files", nargs="+", metavar="FILE")
    inspect.add_argument("--json", action="store_true", help="for a machine to read")
    inspect.add_argument(
        "--refers", action="append", default=[], metavar="FUNCTION", help="what this function refers to"
    )
    inspect.add_argument(
        "--symbols",
        metavar="PATTERN",
        help="only symbols that this glob matches, by their name or by their demangled path",
    )
    inspect.add_argument("--undefined", action="store_true", help="only undefined symbols")
    inspect.add_argument(
        "--exports", action="store_true", help="only symbols that are there for others to link against"
    )
    inspect.add_argument("--all", action="store_true", help="local symbols too, and no table cut short")

    _table_words(_command(commands, "table", _table, "show cases by compilers, from the results kept"))

    repro = _command(
        commands,
        "repro",
        _repro,
        "write a shell script that shows a variant's result with rustc and cc alone",
    )
    repro.add_argument("case", metavar="CASE[VARIANT]", help="a node id, as a run prints it")
    repro.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: standard output)")
    _toolchains(repro)

    _probe_words(
        _command(
            commands,
            "probe",
            _probe,
            "run a case on one compiler for `git bisect run` or `cargo bisect-rustc`",
        )
    )

    _bisect_words(
        _command(commands, "bisect", _bisect, "find the compiler that introduced or fixed a failure")
    )

    toolchains = _command(
        commands, "toolchains", _show_toolchains, "list the toolchains that are found and what they can do"
    )
    toolchains.add_argument("--json", action="store_true", help="for a machine to read")
    toolchains.add_argument(
        "--verbose",
        "-v",
        action="store_true",
        help="also each tool of this machine with its path and version",
    )
    _toolchains(toolchains)
    _installing(toolchains)

    _store_words(_command(commands, "store", _store, "show what is kept, and make it smaller"))

    comparing = "build with two toolchains and show what differs in the outputs"
    _compare_words(
        _command(commands, "compare", _compare, comparing),
        _command(commands, "snapshot", _snapshot, "write what a toolchain makes of the cases, for later"),
    )

    schema = _command(commands, "schema", _schema, "print the JSON Schema of a case file")
    schema.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: standard output)")
    schema.add_argument(
        "--check", metavar="FILE", help="compare with this file: exit status 1 where it is not current"
    )
    return parser


def _installing(toolchains: argparse.ArgumentParser) -> None:
    words = toolchains.add_subparsers(metavar="install|remove", parser_class=_Parser)
    installing = _command(words, "install", _install, "install toolchains into a folder of linkage's own")
    installing.add_argument(
        "specs",
        nargs="+",
        metavar="SPEC",
        help="a rustup name, or debian:1.63, debian:bookworm: a release or a suite of a Debian archive, "
        "unpacked and not installed on the machine",
    )
    installing.add_argument(
        "--mirror", metavar="URL", help="of Debian's archive (default: the one in apt's configuration)"
    )
    installing.add_argument(
        "--keyring",
        action="append",
        default=[],
        metavar="FILE",
        help="more keys whose signatures count for an archive; may be given several times",
    )
    installing.add_argument(
        "--allow-unsigned", action="store_true", help="do not check who signed an archive's lists"
    )
    removing = _command(words, "remove", _remove, "remove toolchains that linkage has installed")
    removing.add_argument("specs", nargs="+", metavar="SPEC")


def _bisect_words(bisect: argparse.ArgumentParser) -> None:
    from linkage.commands.bisect import add_arguments  # noqa: PLC0415

    add_arguments(bisect)


def _probe_words(probe: argparse.ArgumentParser) -> None:
    from linkage.commands.probe import add_arguments  # noqa: PLC0415

    add_arguments(probe)


def _compare_words(compare: argparse.ArgumentParser, snapshot: argparse.ArgumentParser) -> None:
    what = "a toolchain, as --toolchain of `linkage run` takes it, or a file that `linkage snapshot` wrote"
    compare.add_argument("base", metavar="BASE", help=what)
    compare.add_argument("head", metavar="HEAD", help="the other one")
    snapshot.add_argument("toolchain", metavar="TOOLCHAIN", help="as --toolchain of `linkage run` takes it")
    snapshot.add_argument("-o", "--output", metavar="FILE", required=True, help="where to write it")
    for one in (compare, snapshot):
        one.add_argument("cases", nargs="*", metavar="CASE", help="case files or folders (default: cases)")
        one.add_argument(
            "-k", metavar="EXPR", help="only variants whose names have these words: `cdylib and fat`"
        )
        one.add_argument("-j", "--jobs", type=_number, metavar="N", help="how many processes work at once")
        one.add_argument(
            "--linker", default="", metavar="NAME", help="what is linked with: bfd, lld, mold, gold"
        )
        one.add_argument(
            "--keep", action="append", default=[], metavar="FILTER", help="disable this noise filter"
        )
        one.add_argument("--store", metavar="DIR", help="where outcomes are kept")
        one.add_argument(
            "--no-store", action="store_true", help="use nothing that was kept, and keep nothing"
        )
    compare.add_argument(
        "--cargo", metavar="PATH", help="build this Cargo project with both in place of cases"
    )
    compare.add_argument("--profile", default="dev", metavar="NAME", help="Cargo's profile (default: dev)")
    compare.add_argument("--offline", action="store_true", help="Cargo is not to use the network")
    compare.add_argument("--sizes", action="store_true", help="another size is a difference")
    compare.add_argument("--bytes", action="store_true", help="other bytes are a difference")
    compare.add_argument("--expect", metavar="FILE", help="differences that are meant, with their reasons")
    compare.add_argument("--json", metavar="FILE", help="write all that was found for a machine to read")
    compare.add_argument("--markdown", metavar="FILE", help="write the report for a pull request")


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 on")
    return int(text)


def _store_words(store: argparse.ArgumentParser) -> None:
    words = store.add_subparsers(dest="word", metavar="show|trim|check|clear", parser_class=_Parser)
    show = words.add_parser("show", help="where it is and what it holds (also without a word)")
    trim = words.add_parser("trim", help="remove what was not used for longest")
    trim.add_argument("--to", required=True, metavar="SIZE", help="how much is to be left, as 500M or 2G")
    check = words.add_parser(
        "check", help="read every entry and remove what is damaged: exit status 1 where something is"
    )
    clear = words.add_parser("clear", help="remove everything but what a run is using now")
    for one in (store, show, trim, check, clear):
        one.add_argument(
            "--store",
            # A word's own default would take away what was said before it.
            default=None if one is store else argparse.SUPPRESS,
            metavar="DIR",
            help="the store (default: $LINKAGE_STORE, else the user's cache)",
        )


def _table_words(table: argparse.ArgumentParser) -> None:
    table.add_argument("paths", nargs="*", metavar="CASE", help="case files or folders (default: cases)")
    _toolchains(table)
    table.add_argument("--variants", action="store_true", help="a row for each variant")
    how = table.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="for a machine to read")
    how.add_argument("--markdown", action="store_true", help="as Markdown")
    table.add_argument(
        "--into",
        metavar="FILE",
        help="put the Markdown between the two marks of this file: --markdown --into",
    )
    table.add_argument(
        "--store", metavar="DIR", help="the store (default: $LINKAGE_STORE, else the user's cache)"
    )


def _command(
    commands: "argparse._SubParsersAction[_Parser]",
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
    )
    parser.set_defaults(command=function, parser=parser)
    return parser


def _shipped(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shipped",
        action="store_true",
        help="the cases that come with linkage; as a CASE they are `shipped:`, and one folder of them is "
        "`shipped:dylib-lto`",
    )


def _cases(named: Sequence[str], *, shipped: bool) -> list[str]:
    return [*(["shipped:"] if shipped else []), *named]


def _toolchains(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--toolchain",
        action="append",
        default=[],
        metavar="SPEC",
        help="a rustup name, a path to a rustc, a sysroot or a stage folder, $RUSTC, debian:RELEASE, "
        "or name=path; may be given several times",
    )


def _run(arguments: argparse.Namespace) -> int:
    from linkage.commands.run import run  # noqa: PLC0415

    return run(_cases(arguments.rest, shipped=arguments.shipped), arguments.json)


def _list(arguments: argparse.Namespace) -> int:
    from linkage.commands.list import list_cases  # noqa: PLC0415

    return list_cases(_cases(arguments.paths, shipped=arguments.shipped) or ["cases"])


def _explain(arguments: argparse.Namespace) -> int:
    from linkage.commands.explain import explain  # noqa: PLC0415

    return explain(arguments.case, arguments.toolchain)


def _inspect(arguments: argparse.Namespace) -> int:
    from linkage.commands.inspect import inspect  # noqa: PLC0415
    from linkage.render.inspect_data import Selection  # noqa: PLC0415

    return inspect(
        arguments.files,
        refers=arguments.refers,
        as_json=arguments.json,
        selection=Selection(arguments.symbols, undefined=arguments.undefined, exports=arguments.exports),
        everything=arguments.all,
    )


def _table(arguments: argparse.Namespace) -> int:
    from linkage.commands.table import table  # noqa: PLC0415

    if arguments.into and not arguments.markdown:
        raise LinkageError("--into is for Markdown", help=f"--markdown --into {arguments.into}")
    return table(
        arguments.paths or ["cases"],
        arguments.toolchain,
        arguments.store,
        variants=arguments.variants,
        as_json=arguments.json,
        as_markdown=arguments.markdown,
        into=arguments.into,
    )


def _repro(arguments: argparse.Namespace) -> int:
    from linkage.commands.repro import write_repro  # noqa: PLC0415

    return write_repro(arguments.case, arguments.toolchain, arguments.output)


def _bisect(arguments: argparse.Namespace) -> int:
    from linkage.commands.bisect import run  # noqa: PLC0415

    return run(arguments)


def _probe(arguments: argparse.Namespace) -> int:
    from linkage.commands.probe import run  # noqa: PLC0415

    return run(arguments)


def _show_toolchains(arguments: argparse.Namespace) -> int:
    from linkage.commands.toolchains import show_toolchains  # noqa: PLC0415

    return show_toolchains(arguments.toolchain, as_json=arguments.json, verbose=arguments.verbose)


def _install(arguments: argparse.Namespace) -> int:
    from linkage.commands.install import install  # noqa: PLC0415

    return install(
        arguments.specs,
        mirror=arguments.mirror,
        keyrings=arguments.keyring,
        allow_unsigned=arguments.allow_unsigned,
    )


def _remove(arguments: argparse.Namespace) -> int:
    from linkage.commands.install import remove  # noqa: PLC0415

    return remove(arguments.specs)


def _store(arguments: argparse.Namespace) -> int:
    from linkage.commands.store import upkeep  # noqa: PLC0415

    return upkeep(arguments.word or "show", arguments.store, getattr(arguments, "to", None))


def _compare(arguments: argparse.Namespace) -> int:
    from linkage.commands.compare import compare_toolchains  # noqa: PLC0415

    return compare_toolchains(_comparison(arguments, (arguments.base, arguments.head)))


def _snapshot(arguments: argparse.Namespace) -> int:
    from linkage.commands.compare import take_snapshot  # noqa: PLC0415

    return take_snapshot(_comparison(arguments, (arguments.toolchain,)))


def _comparison(arguments: argparse.Namespace, sides: tuple[str, ...]) -> "Options":
    from linkage.commands.compare import Options  # noqa: PLC0415

    given = {name: value for name, value in vars(arguments).items() if name in Options.__slots__}
    return Options(sides, chosen=arguments.k, **given)


def _schema(arguments: argparse.Namespace) -> int:
    from linkage.case.schema import write_schema  # noqa: PLC0415

    return write_schema(arguments.output, arguments.check)


if __name__ == "__main__":
    sys.exit(main())
