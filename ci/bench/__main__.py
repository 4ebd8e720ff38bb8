"""Measure what the harness costs beside what it runs, as ratios taken in the same run.

Started by `ci/bench/run`, which sets up what it needs. Where a whole run of the shipped cases would
take too long, a part of them is run (`--cases`); the table says which.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import bisection, readers, runs, scale, subjects
from bench.runs import Bench
from bench.timing import Figure
from linkage.errors import ExitCode, LinkageError
from linkage.host.folders import cache_folder
from linkage.run.job_server import processors
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import discover

_CASES = Path(__file__).resolve().parents[2] / "cases"
_SUBSET = [
    f"separate-link/{name}.yaml" for name in ("dependency-gone", "other-crate", "output-place", "rmeta-only")
]
"""What is run by default: some 30 variants, a minute or two on two processors."""
_QUICK = 1000


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="linkage-bench-", dir=arguments.folder) as folder:
        try:
            bench = _bench(arguments, Path(folder))
        except LinkageError as error:
            print(f"bench: {error}", file=sys.stderr)
            return int(error.exit_code)
        figures: list[Figure] = []
        for name, work in _figures(arguments.count).items():
            if not arguments.only or name in arguments.only:
                print(f"measuring: {name}", file=sys.stderr)
                figures += work(bench)
                if arguments.json:
                    _write(Path(arguments.json), figures, bench)
    _print(figures, bench, as_markdown=arguments.markdown)
    return int(ExitCode.OK)


def _figures(count: int) -> dict[str, Callable[[Bench], Iterator[Figure]]]:
    return {
        "cold": runs.cold,
        "two-toolchains": runs.two_toolchains,
        "compared": runs.compared,
        "warm": runs.warm,
        "warm-1000": runs.warm_thousand,
        "changed": runs.changed,
        "symbols": readers.symbols,
        "overhead": lambda bench: scale.overhead(bench, count),
        "collecting": lambda bench: scale.collecting(bench, count),
        "memory": lambda bench: scale.memory(bench, count),
        "store": scale.store_of_cases,
        "bisect": bisection.one_case,
        "bisect-many": bisection.many_cases,
        "bisect-others": bisection.other_failures,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/bench/run", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=_figures(0), help="only this figure"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round, and 1,000 variants for 10,000: to try"
    )
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 5)")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="case files below cases/, or `all`")
    parser.add_argument("--toolchain", action="append", metavar="SPEC", help="the first two are used")
    parser.add_argument("--json", metavar="FILE", help="where all figures are written")
    parser.add_argument("--markdown", action="store_true", help="print a table for docs/bench.md")
    parser.add_argument(
        "--folder", metavar="DIR", help="where working folders are made (default: the system's)"
    )
    found = parser.parse_args()
    found.rounds = found.rounds or (1 if found.quick else 5)
    found.count = _QUICK if found.quick else scale.MANY
    return found


def _bench(arguments: argparse.Namespace, folder: Path) -> Bench:
    everything = [str(file.relative_to(_CASES)) for file in sorted(_CASES.glob("*/*.yaml"))]
    chosen = everything if arguments.cases == ["all"] else arguments.cases or _SUBSET
    session = Session(Store(folder / "first"), cache_folder(os.environ))
    specs = arguments.toolchain or discover(os.environ)
    toolchains = session.toolchains(specs)[:2]
    if not toolchains:
        raise LinkageError("there is no toolchain to measure with", help="name one with --toolchain")
    width = processors()
    subset = "all shipped cases" if chosen == everything else ", ".join(chosen)
    files = subjects.copy_of_cases(_CASES, list(chosen), folder / "cases")
    return Bench(folder, arguments.rounds, width, files, toolchains, ["-j", str(width)], subset)


def _write(file: Path, figures: Sequence[Figure], bench: Bench) -> None:
    data = {
        "rounds": bench.rounds,
        "width": bench.width,
        "toolchains": [f"{one.name} {one.version}" for one in bench.toolchains],
        "cases": bench.subset,
        "figures": [asdict(figure) for figure in figures],
    }
    file.write_text(json.dumps(data, indent=1) + "\n")


_COLUMNS = ("figure", "against", "goal", "median", "least to most", "processor", "noise", "met", "note")


def _print(figures: Sequence[Figure], bench: Bench, *, as_markdown: bool) -> None:
    if as_markdown:
        for cells in (_COLUMNS, ["---"] * len(_COLUMNS), *map(_cells, figures)):
            print(f"| {' | '.join(cells)} |")
    else:
        table = Table(*_COLUMNS)
        for figure in figures:
            table.add_row(*_cells(figure))
        Console(width=None if sys.stdout.isatty() else 220).print(table)
    names = ", ".join(f"{one.name} {one.version}" for one in bench.toolchains)
    print(f"\n{bench.rounds} rounds, {bench.width} processors, {names}; cases: {bench.subset}")


def _cells(figure: Figure) -> list[str]:
    shown, unit = figure.ratio, figure.unit
    return [
        figure.name,
        figure.against,
        figure.goal,
        f"{shown.median:.3g}{unit}" if shown else "-",
        f"{shown.low:.3g} to {shown.high:.3g}" if shown else "-",
        f"{figure.cpu:.3g}" if figure.cpu is not None else "-",
        f"{figure.noise:.2f}" if figure.noise is not None else "-",
        {True: "yes", False: "no", None: "-"}[figure.met],
        figure.note,
    ]


if __name__ == "__main__":
    sys.exit(main())
