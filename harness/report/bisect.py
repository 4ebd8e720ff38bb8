"""`linkage bisect`: since when, for many cases at once, and for the right reason."""

import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness.bisect import journal
from harness.bisect.journal import Journal
from harness.bisect.request import Request
from harness.errors import ExitCode, LinkageError
from harness.report.bisect_json import write_answer
from harness.report.bisect_text import answer_text
from harness.report.bisect_work import Words, Work, bisect_folder, say, variants_of
from harness.report.repro import session_for


def bisect(request: Request, words: Words) -> int:
    """Begin a session. Raises LinkageError for wrong input."""
    file = Path(words.session) if words.session else _new_file(os.environ)
    request = _here_and_now(request)
    variants_of(request)  # what is wrong is said before a file is made
    request.range()
    book = journal.create(file)
    book.begin(request.line())
    return _search(request, words, book)


def resume(place: str | None, words: Words) -> int:
    """Go on with a session. Raises LinkageError where there is none."""
    book = journal.load(Path(place) if place else _last_file(os.environ))
    return _search(Request.read(book.start, str(book.file)), words, book)


def replay(place: str, words: Words) -> int:
    """Begin a session with the answers of a log. Raises LinkageError with the line that is wrong."""
    given = journal.load(Path(place), going_on=False)
    request = Request.read(given.start, place)
    book = journal.create(Path(words.session) if words.session else _new_file(os.environ))
    book.begin(request.line())
    for (toolchain, variant), entry in given.entries.items():
        book.note(toolchain, variant, entry, f"from {place}")
    for toolchain, reason in given.missing.items():
        book.note_missing(toolchain, reason)
    return _search(request, words, book)


def log(place: str | None) -> int:
    """Print a session's file."""
    file = Path(place) if place else _last_file(os.environ)
    journal.load(file, going_on=False)
    sys.stdout.write(file.read_text(encoding="utf-8"))
    return ExitCode.OK


def _here_and_now(request: Request) -> Request:
    """The request with what is only known here and now."""
    from msgspec.structs import replace as changed  # noqa: PLC0415 - dataclasses' own has the name

    today = request.today or datetime.now(UTC).date().isoformat()
    return changed(request, folder=request.folder or str(Path.cwd()), today=today)


def _new_file(env: Mapping[str, str]) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return bisect_folder(env) / "sessions" / f"{stamp}-{os.getpid()}.log"


def _last_file(env: Mapping[str, str]) -> Path:
    """The session that was begun last in this folder."""
    files = sorted((bisect_folder(env) / "sessions").glob("*.log"), key=lambda file: file.name, reverse=True)
    for file in files:
        if f'"folder": "{Path.cwd()}"' in file.read_text(encoding="utf-8", errors="replace"):
            return file
    raise LinkageError(
        "no session was begun in this folder", where="bisect", mend="name its file, or begin one with --bad"
    )


def _search(request: Request, words: Words, book: Journal) -> int:
    try:
        with session_for(os.environ) as session:
            work = Work(request, words, book, session)
            answer = work.answer()
    except KeyboardInterrupt:
        say(f"interrupted; to go on: linkage bisect --resume {book.file}")
        return ExitCode.INTERRUPTED
    if words.json:
        write_answer(words.json, answer)
    text = answer_text(answer)
    if words.output:
        try:
            Path(words.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise LinkageError(f"cannot be written: {error.strerror}", where=words.output) from None
    else:
        sys.stdout.write(text)
    return ExitCode.OK if answer.groups else ExitCode.FAILED
