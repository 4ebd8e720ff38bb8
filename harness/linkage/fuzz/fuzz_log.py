"""What a fuzzing session keeps: a line of JSON for each event, written at once, from which it resumes.

The first line has the session's seed and options; each other line a graph that has been checked, or a
finding. A last line without its end was being written when the machine stopped: it does not count.
"""

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from linkage.bisect.signature import Signature
from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.files import replace_file
from linkage.host.locks import lock

NAME = "session.jsonl"


class FuzzStart(msgspec.Struct, frozen=True):
    """What a session was begun with: with the same, it draws the same graphs."""

    seed: int
    toolchains: tuple[str, ...]
    focus: str = ""
    without: tuple[str, ...] = ()


class CheckedGraph(msgspec.Struct, frozen=True):
    """A graph that has been checked."""

    number: int
    seed: int
    toolchain: str
    outcomes: dict[str, int]
    refusals: dict[str, int] = {}
    """rustc's messages, and how often."""
    found: tuple[int, ...] = ()
    """The findings that it showed."""


class GraphFinding(msgspec.Struct, frozen=True):
    """A failure, reduced, with the graph that first showed it."""

    number: int
    graph_seed: int
    graph: int
    """The number of the graph."""
    toolchain: str
    version: str
    relation: str
    signature: Signature
    seconds: float
    """Of the session, until it was found."""
    known: tuple[str, ...] = ()
    """Known bugs of the shipped cases that it matches; empty if it is news."""
    file: str = ""
    """The case, in the session's folder."""
    line: str = ""
    """What fails, in one line."""
    tries: int = 0
    complete: bool = False
    """Whether it is reduced to a local minimum."""

    @property
    def is_news(self) -> bool:
        return not self.known


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    start: FuzzStart | None = None
    graph: CheckedGraph | None = None
    finding: GraphFinding | None = None


@dataclass
class FuzzLog:
    """The state of a session, and the file that keeps it, if there is one."""

    start: FuzzStart
    graphs: dict[int, CheckedGraph] = field(default_factory=dict)
    findings: list[GraphFinding] = field(default_factory=list)
    folder: Path | None = None
    held: IO[bytes] | None = None

    def add(self, entry: CheckedGraph | GraphFinding) -> None:
        """Keep an entry. Raises LinkageError if the file cannot be written."""
        if isinstance(entry, CheckedGraph):
            self.graphs[entry.number] = entry
            self._write(_Line(graph=entry))
        else:
            self.findings.append(entry)
            self._write(_Line(finding=entry))

    def outcomes(self) -> Counter[str]:
        """How many checks came out how."""
        return sum((Counter(one.outcomes) for one in self.graphs.values()), Counter())

    def refusals(self) -> Counter[str]:
        """The messages of rustc, and how often they ended a check."""
        return sum((Counter(one.refusals) for one in self.graphs.values()), Counter())

    def hits(self) -> Counter[int]:
        """How many graphs showed each finding."""
        return Counter(number for one in self.graphs.values() for number in one.found)

    def save(self, name: str, content: str) -> None:
        """Write a file beside the session's. Raises LinkageError."""
        if self.folder is not None:
            with _reported(self.folder / name):
                replace_file(self.folder / name, content)

    def _write(self, line: _Line) -> None:
        if self.folder is not None:
            file = self.folder / NAME
            with _reported(file), file.open("ab") as stream:
                stream.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        if self.held is not None:
            self.held.close()


@contextlib.contextmanager
def _reported(file: Path) -> Any:  # noqa: ANN401 - a context manager
    try:
        yield
    except OSError as error:
        why = f"cannot be written: {error.strerror or error}"
        raise LinkageError(why, where=str(file), help="choose another folder with --save") from None


def begin(start: FuzzStart, folder: Path | None) -> FuzzLog:
    """A new session. Raises LinkageError if the folder has one already."""
    if folder is None:
        return FuzzLog(start)
    with _reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            stream = (folder / NAME).open("xb")
        except FileExistsError:
            raise LinkageError(
                "already contains a session", where=str(folder), help="continue it with --resume"
            ) from None
    _lock(stream, folder)
    log = FuzzLog(start, folder=folder, held=stream)
    log._write(_Line(start=start))  # noqa: SLF001 - its own module
    return log


def load(folder: Path) -> FuzzLog:
    """Continue the session of a folder. Raises LinkageError with the line that is wrong, and if another
    process uses it.
    """
    file = folder / NAME
    try:
        stream = file.open("r+b")
    except OSError as error:
        help = "start one without --resume"
        raise LinkageError(f"cannot be read: {error.strerror}", where=str(file), help=help) from None
    _lock(stream, folder)
    whole, _, torn = stream.read().rpartition(b"\n")
    if torn:
        stream.truncate(len(whole) + 1 if whole else 0)
    log: FuzzLog | None = None
    for number, text in enumerate(whole.splitlines(), 1):
        try:
            line = msgspec.json.decode(text, type=_Line)
        except (ValueError, *MALFORMED) as error:
            stream.close()
            raise LinkageError(f"invalid line: {error}", where=f"{file}:{number}") from None
        if line.start is not None:
            log = FuzzLog(line.start, folder=folder, held=stream)
        elif log is not None and line.graph is not None:
            log.graphs[line.graph.number] = line.graph
        elif log is not None and line.finding is not None:
            log.findings.append(line.finding)
    if log is None:
        stream.close()
        raise LinkageError("is not a session: it has no start", where=str(file))
    return log


def _lock(stream: IO[bytes], folder: Path) -> None:
    try:
        lock(stream.fileno(), wait=False)
    except BlockingIOError:
        stream.close()
        raise LinkageError("another process uses this session", where=str(folder)) from None
    except OSError:
        pass  # a file system without locks
