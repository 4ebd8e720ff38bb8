"""The session's file: one line per probe, written at once, readable and editable.

    start {"cases": ["x.yaml"], "good": "2026-01-01", "bad": "2026-05-19"}
    # nightly-2026-05-19 x.yaml[lto=fat]: fails: lib: exit: error: the shim is missing
    bad nightly-2026-05-19 x.yaml[lto=fat] {"outcome": "fail", …}
    missing nightly-2026-03-01 - {"reason": "not on the server"}

The first word of a line counts: changing it, or writing a line without the result, corrects the
probe. If two lines are about the same probe, the later one counts.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from linkage.bisect.search import Mark
from linkage.bisect.signature import ProbeResult
from linkage.errors import LinkageError
from linkage.host.decoding import MALFORMED
from linkage.host.locks import lock

_FIELD = r'("(?:[^"\\]|\\.)*"|[^\s"{][^\s]*)'
_LINE = re.compile(rf"(\w+)\s+{_FIELD}\s+{_FIELD}(?:\s+(\{{.*\}}))?\s*(?:#.*)?")
_PLAIN = re.compile(r'[^\s"{#][^\s"]*')
NOBODY = "-"
_HEADING = "# linkage bisect: --resume FILE continues this session, --replay FILE restarts it with its probes"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The file's entry for a variant on a toolchain."""

    mark: Mark
    result: ProbeResult | None = None


@dataclass
class Journal:
    """What is known so far, and the file that has it."""

    start: dict[str, Any] = field(default_factory=dict)
    entries: dict[tuple[str, str], JournalEntry] = field(default_factory=dict)
    """By toolchain and variant."""
    missing: dict[str, str] = field(default_factory=dict)
    """Missing toolchains, and why."""
    file: Path | None = None
    held: IO[bytes] | None = None
    """The locked file: no other process can resume the session."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.held is not None:
            self.held.close()

    def begin(self, start: Mapping[str, Any]) -> None:
        """Write the request."""
        first = not self.start
        self.start = dict(start)
        try:
            self._write(_HEADING)
            self._write(f"start {json.dumps(self.start)}")
        except LinkageError:
            if first and self.file is not None:
                self.file.unlink(missing_ok=True)  # it could neither be resumed nor created again
            raise

    def note(self, toolchain: str, variant: str, entry: JournalEntry, why: str) -> None:
        """Write a probe."""
        self.entries[toolchain, variant] = entry
        detail = "" if entry.result is None else " " + msgspec.json.encode(entry.result).decode()
        self._write(f"# {toolchain} {variant}: {' '.join(why.split())}")
        self._write(f"{entry.mark.value} {_quoted(toolchain)} {_quoted(variant)}{detail}")

    def note_missing(self, toolchain: str, reason: str, *, for_now: bool = False) -> None:
        """Write a missing toolchain; with `for_now` only as a comment."""
        self.missing[toolchain] = reason
        if for_now:
            self._write(f"# {toolchain}: {' '.join(reason.split())}")
            return
        self._write(f"missing {_quoted(toolchain)} {NOBODY} {json.dumps({'reason': reason})}")

    def _write(self, line: str) -> None:
        if self.file is None:
            return
        try:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LinkageError(
                f"cannot be written: {error.strerror}",
                where=str(self.file),
                help="name another with --session",
            ) from None


def create(file: Path) -> Journal:
    """A journal in a new file. Raises LinkageError if the file exists."""
    try:
        return make(file)
    except FileExistsError:
        if not file.is_file():
            raise LinkageError("cannot be written: it is not a file", where=str(file)) from None
        raise LinkageError(
            "already contains a session", where=str(file), help=f"resume it: --resume {file}"
        ) from None


def make(file: Path) -> Journal:
    """As `create`, but raises FileExistsError if the file exists."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise LinkageError("cannot be written: its folder is a file", where=str(file)) from None
    except OSError as error:
        raise LinkageError(f"cannot be written: {error.strerror}", where=str(file)) from None
    try:
        file.open("x").close()
    except FileExistsError:
        raise
    except OSError as error:
        raise LinkageError(f"cannot be written: {error.strerror}", where=str(file)) from None
    return Journal(file=file, held=_held(file, wait=True))


def load(file: Path, *, resume: bool = True) -> Journal:
    """Read a journal; `resume` continues the same file. Raises LinkageError with the line that is wrong,
    and if another process uses the session.

    A last line without its end was being written when the machine stopped: it does not count.
    """
    held = _held(file) if resume else None
    try:
        return _load(file, held)
    except BaseException:
        if held is not None:
            held.close()
        raise


def _load(file: Path, held: IO[bytes] | None) -> Journal:
    try:
        whole, _, torn = file.read_bytes().rpartition(b"\n")
        if torn and held is not None:
            with file.open("r+b") as stream:
                stream.truncate(len(whole) + 1 if whole else 0)
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=str(file)) from None
    found = Journal()
    for number, line in enumerate(whole.decode(errors="replace").split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            _read(found, line.strip(), f"{file}:{number}")
    if not found.start:
        raise LinkageError("is not a bisection session: it has no `start` line", where=str(file))
    found.file, found.held = (file, held) if held is not None else (None, None)
    return found


def _held(file: Path, *, wait: bool = False) -> IO[bytes]:
    """Lock a session's file; the system releases the lock when the process ends.

    Raises LinkageError if another process has it; with `wait`, waits for a process that only reads it.
    """
    try:
        stream = file.open("rb")
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=str(file)) from None
    try:
        lock(stream.fileno(), wait=wait)
    except BlockingIOError:
        stream.close()
        raise LinkageError(
            "another process uses this session",
            where=str(file),
            help="wait until it ends, or interrupt it: its probes are kept",
        ) from None
    except OSError:
        pass  # a file system without locks
    return stream


def _read(journal: Journal, line: str, where: str) -> None:
    word, _, rest = line.partition(" ")
    try:
        if word == "start":
            journal.start = _object(rest)
            return
        toolchain, variant, detail = _parts(line)
        if word == "missing":
            journal.missing[toolchain] = str(_object(detail or "{}").get("reason", "missing"))
            return
        seen = msgspec.json.decode(detail, type=ProbeResult) if detail else None
        journal.entries[toolchain, variant] = JournalEntry(Mark(word), seen)
    except (ValueError, *MALFORMED) as error:
        told = "it must begin with good, bad, skip or missing" if "Mark" in str(error) else str(error)
        raise LinkageError(f"invalid line: {told}", where=where) from None


def _parts(line: str) -> tuple[str, str, str | None]:
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise ValueError("it must look like `good nightly-2026-05-19 cases/x.yaml[lto=fat]`")
    return _unquoted(parts[2]), _unquoted(parts[3]), parts[4]


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004 - one kind of error for a wrong line
    return found


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)


def _unquoted(field: str) -> str:
    return str(json.loads(field)) if field.startswith('"') else field
