"""`ci/mutants/run --python`: small changes to the harness's own code, which its tests must notice.

mutmut makes the changes and runs the tests. Of all mutants a sample is tried, drawn with a fixed seed; each
is judged by the tests of its own package alone. mutmut does not change code outside of functions, or
functions with a decorator other than `classmethod` and `staticmethod`.
"""

import argparse
import ast
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.errors import ExitCode, LinkageError
from linkage.render.run_table import summary_console
from mutants.equivalents import Equivalent, as_entry, find, read_equivalents, signed

_ROOT = Path(__file__).parents[2]
PACKAGES = ("judge", "artifact", "case")
_MEMORY = 4 << 30  # bytes: a mutant that allocates without end fails, and the machine does not
_PATIENCE = 10
"""How many times longer than without a mutant the tests may take."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""How lines of mutmut's progress begin."""
_KILLED = (1, 3)
"""How pytest ends if a test fails."""
_COPIED = ".copied"
"""A file in a copy of the checkout: the digest of the files that it is of."""
_ALONE = ".alone"
"""A folder in a copy: what became of mutants that were tried in a process of their own."""
_SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/linkage/{package}/*"]
also_copy = {copied}
pytest_add_cli_args_test_selection = ["tests/{package}"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
process_isolation = "forkserver"
"""


@dataclass(frozen=True)
class Mutant:
    """One change to one function, and what became of it."""

    package: str
    file: str
    function: str
    line: int
    status: str
    diff: tuple[str, ...]
    """The lines that it removes and adds, with their signs."""
    equivalent: Equivalent | None = None
    """Why no test can notice it."""

    @property
    def is_killed(self) -> bool:
        return self.status in ("killed", "timeout")


def main(argv: Sequence[str]) -> int:
    """The exit status: 0 if enough mutants are killed."""
    options = _options(argv)
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory("-mutants")))
        mutants = list(_tried(options, folder.resolve()))
    console = summary_console()
    score = show(mutants, console)
    console.print(f"seed {options.seed}, {time.monotonic() - started:.0f} s")
    return ExitCode.OK if score >= options.fail_under else ExitCode.FAILED


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ci/mutants/run --python",
        description="Mutate the harness's own code, and report which mutants no test kills.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--package",
        action="append",
        choices=PACKAGES,
        metavar="NAME",
        help=f"try only those of the sample in this package of {', '.join(PACKAGES)}; may be repeated",
    )
    parser.add_argument(
        "--count", type=int, default=300, metavar="N", help="size of the sample (default: 300)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draw another sample (default: 0)")
    parser.add_argument("-n", type=int, default=2, metavar="N", help="mutants at the same time (default: 2)")
    parser.add_argument(
        "--fail-under",
        type=float,
        default=90,
        metavar="PERCENT",
        help="the score below which the exit status is 1 (default: 90)",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="work in this folder and keep it; a run that was interrupted goes on (default: a temporary one)",
    )
    return parser.parse_args(argv)


def _tried(options: argparse.Namespace, folder: Path) -> Iterator[Mutant]:
    for package in PACKAGES:
        copy_checkout(folder / package, package)
    found = [
        (package, *one) for package in PACKAGES for one in names_of(folder / package, package, options.n)
    ]
    sample = random.Random(options.seed).sample(found, min(options.count, len(found)))  # noqa: S311
    packages = options.package or PACKAGES
    chosen = [one for one in sample if one[0] in packages]
    sys.stderr.write(
        f"{len(sample)} of {len(found)} mutants; {len(chosen)} of them in {', '.join(packages)}\n"
    )
    known = read_equivalents()
    for package in packages:
        names = {name: file for of, file, name in chosen if of == package}
        if names:
            for name, status in _statuses(folder / package, package, list(names), options.n).items():
                yield _mutant(folder / package, package, names[name], name, status, known)


def copy_checkout(folder: Path, package: str) -> None:
    """Copy what git knows of this checkout; mutmut wants the source root to be called `src`.

    A copy of the same files stays, with the results of the mutants that were tried in it.
    """
    files = sorted(_files_of_checkout())
    digest = hashlib.sha256(package.encode())
    for name in files:
        digest.update(b"%s\0%s" % (name.encode(), hashlib.sha256((_ROOT / name).read_bytes()).digest()))
    mark = folder / _COPIED
    if mark.is_file() and mark.read_text(encoding="utf-8") == digest.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    for name in files:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(_ROOT / name, place, follow_symlinks=False)
    (folder / "harness").rename(folder / "src")
    (folder / "harness").symlink_to("src")
    copied = sorted(one.name for one in folder.iterdir() if one.name != "src")
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS.format(package=package, copied=json.dumps(copied)))
    mark.write_text(digest.hexdigest(), encoding="utf-8")


def _files_of_checkout() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [name for name in listed.split("\0") if name and (_ROOT / name).is_file()]


def names_of(folder: Path, package: str, processes: int) -> list[tuple[str, str]]:
    """All mutants of a package, each with its file."""
    files = sorted(one.relative_to(folder) for one in (folder / "src/linkage" / package).rglob("*.py"))
    with multiprocessing.Pool(processes) as pool:
        return [one for names in pool.starmap(_names_in, [(folder, file) for file in files]) for one in names]


def _names_in(folder: Path, file: Path) -> list[tuple[str, str]]:
    from mutmut.mutation.file_mutation import mutate_file_contents  # noqa: PLC0415 - of the group `mutation`
    from mutmut.utils.format_utils import get_mutant_name  # noqa: PLC0415 - likewise

    os.chdir(folder)  # mutmut reads its settings there
    mutated = mutate_file_contents(str(file), file.read_text(encoding="utf-8"))
    return [(str(file), get_mutant_name(file, name)) for name in mutated.mutant_names]


def _run_mutmut(folder: Path, names: Sequence[str], processes: int) -> dict[str, int]:
    """Run the tests that reach each of these mutants; the exit statuses of pytest."""
    found = _ended(folder)
    left = [name for name in names if found.get(name) is None]
    if left:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(processes), *left]
        log = folder / "mutmut.log"
        with log.open("wb") as output:
            done = _run(command, folder, stdout=output)
        if done != 0:
            lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").split("\n")
            last = [line for line in lines if line.strip() and line[0] not in _SPINNER][-20:]
            raise LinkageError("mutmut failed:\n" + "\n".join(last), where=str(log))
        found = _ended(folder)
    return {name: found[name] for name in names}


def _ended(folder: Path) -> dict[str, int]:
    """The exit status of each mutant that mutmut has tried in this copy, now or earlier."""
    found: dict[str, int] = {}
    for place in (folder / "mutants").rglob("*.meta"):
        found |= json.loads(place.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _run_alone(folder: Path, package: str, name: str, limit: float | None = None) -> str:
    """Run all tests of the package with one mutant in a process of its own.

    In those of mutmut, the modules have been imported without the mutant, and so their tables are built
    without it. Its limits of time are short, and do not know how busy the machine is.
    """
    tests = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"tests/{package}"]
    paths = {"MUTANT_UNDER_TEST": name, "PYTHONPATH": str(folder / "mutants" / "src")}
    try:
        status = _run(tests, folder / "mutants", paths, timeout=limit)
    except subprocess.TimeoutExpired:
        return "timeout"
    return {0: "survived", 5: "no test"}.get(status, "killed")


def _run(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    timeout: float | None = None,
) -> int:
    return subprocess.run(
        ["nice", "-n", "10", *command],
        cwd=folder,
        # CI: Hypothesis draws the same examples in every run, and has no deadline.
        env={**os.environ, "CI": "1", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        stdout=stdout,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=timeout,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
    ).returncode


def _statuses(folder: Path, package: str, names: Sequence[str], processes: int) -> dict[str, str]:
    ended = _run_mutmut(folder, names, processes)
    again = [name for name, status in ended.items() if status not in _KILLED]
    started = time.monotonic()
    if _run_alone(folder, package, "") != "survived":
        raise LinkageError("the tests fail without a mutant", where=str(folder / "mutants"))
    limit = _PATIENCE * (time.monotonic() - started)

    def status(name: str) -> str:
        kept = folder / _ALONE / name
        if not kept.is_file():
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(_run_alone(folder, package, name, limit), encoding="utf-8")
        return kept.read_text(encoding="utf-8")

    with ThreadPoolExecutor(processes) as pool:
        alone = dict(zip(again, pool.map(status, again), strict=True))
    return {name: alone.get(name, "killed") for name in names}


def _mutant(
    folder: Path, package: str, file: str, name: str, status: str, known: Sequence[Equivalent]
) -> Mutant:
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: PLC0415 - of the group `mutation`

    with contextlib.chdir(folder):
        lines = get_diff_for_mutant(name, path=file).splitlines()
        source = Path(file).read_text(encoding="utf-8")
    changed = tuple(line for line in lines[2:] if line[0] in "-+")
    shown, function = file.replace("src/", "harness/", 1), function_of(name)
    equivalent = find(known, shown, function, changed)
    return Mutant(package, shown, function, line_of(source, function, changed), status, changed, equivalent)


def function_of(name: str) -> str:
    """The function that a mutant changes: `check`, or `Reader.check` for a method."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled.removeprefix("x_")


def source_of(source: str, function: str) -> tuple[int, list[str]]:
    """The number of the first line of a function, and its lines without indentation."""
    body = ast.parse(source).body
    *of_class, name = function.split(".")
    for class_ in of_class:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == class_)
    node = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == name)
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    return node.lineno, [line.strip() for line in lines]


def line_of(source: str, function: str, changed: Iterable[str]) -> int:
    """The number of the first line that a mutant removes."""
    first, lines = source_of(source, function)
    removed = next((line[1:].strip() for line in changed if line.startswith("-")), "")
    return first + (lines.index(removed) if removed in lines else 0)


def score(mutants: Sequence[Mutant]) -> float:
    """Percent of the mutants that tests kill, without those that none can."""
    counted = [one for one in mutants if one.is_killed or one.equivalent is None]
    return 100 * sum(one.is_killed for one in counted) / len(counted) if counted else 100.0


def show(mutants: Sequence[Mutant], console: Console) -> float:
    """Print the survivors, as the list of equivalent mutants has them, and a row for each package.

    The score of all.
    """
    packages = {name: [one for one in mutants if one.package == name] for name in PACKAGES}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("package")
    for name in ("mutants", "killed", "timeout", "survived", "equivalent", "score"):
        table.add_column(name, justify="right")
    for name, found in [*packages.items(), ("all", list(mutants))]:
        if found:
            table.add_row(name, *_row(found))
    for one in sorted(mutants, key=lambda one: (one.file, one.line)):
        if not one.is_killed:
            console.print(*_survivor(one), sep="\n", soft_wrap=True)
    console.print(table)
    return score(mutants)


def _survivor(mutant: Mutant) -> tuple[Text, Text]:
    place = f"{mutant.file}:{mutant.line}"
    if mutant.equivalent:
        why, listed = Text(f"{place}: equivalent: {mutant.equivalent.reason}", "dim"), signed(mutant.diff)
        return why, Text("".join(f"    {line}\n" for line in listed), "dim")
    entry = as_entry(mutant.file, mutant.function, mutant.diff, "")
    return Text(f"{place}: {mutant.status}", "bold red"), Text(entry, "dim")


def _row(found: Sequence[Mutant]) -> Iterator[str]:
    count: Mapping[str, int] = {
        "killed": sum(one.status == "killed" for one in found),
        "timeout": sum(one.status == "timeout" for one in found),
        "survived": sum(not one.is_killed and one.equivalent is None for one in found),
        "equivalent": sum(not one.is_killed and one.equivalent is not None for one in found),
    }
    yield str(len(found))
    yield from map(str, count.values())
    yield f"{score(found):.1f} %"
