"""`linkage bisect`: since when, for many cases at once, and for the right reason."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace as changed

from linkage.bisect import journal
from linkage.bisect import session_files as sessions
from linkage.bisect.journal import Journal
from linkage.bisect.request import Request
from linkage.bisect.rollup import Build
from linkage.bisect.work import Words, Work, bisect_folder, say, variants_of
from linkage.commands.repro import session_for
from linkage.errors import ExitCode, LinkageError
from linkage.render.bisect_json import write_answer
from linkage.render.bisect_markdown import answer_text


def bisect(request: Request, words: Words) -> int:
    """Begin a session. Raises LinkageError for wrong input."""
    _check_outputs(words)
    request = _here_and_now(request)
    request.check()
    variants_of(request)  # what is wrong is said before a file is made
    request.range()
    with _new(words) as book:
        book.begin(request.line())
        return _search(request, words, book)


def resume(
    place: str | None, words: Words, builds: tuple[Build, ...] = (), rust_src: str | None = None
) -> int:
    """Go on with a session, with what there is since: a clone, a rollup's builds.

    Raises LinkageError where there is no session.
    """
    _check_outputs(words)
    with journal.load(Path(place) if place else _last_file(os.environ)) as book:
        request = Request.read(book.start, str(book.file))
        given = changed(
            request,
            rollup_builds=builds or request.rollup_builds,
            rust_src=rust_src or request.rust_src,
        )
        if given != request:
            given.check()
            book.begin(given.line())
        return _search(given, words, book)


def replay(place: str, words: Words) -> int:
    """Begin a session with the answers of a log. Raises LinkageError with the line that is wrong."""
    _check_outputs(words)
    given = journal.load(Path(place), going_on=False)
    request = Request.read(given.start, place)
    with _new(words) as book:
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
    today = request.today or datetime.now(UTC).date().isoformat()
    return changed(request, folder=request.folder or str(Path.cwd()), today=today)


def _new(words: Words) -> Journal:
    """A session's file: the one that is named, else a new one of the cache."""
    if words.session:
        return journal.create(Path(words.session))
    return sessions.create_in(_folder(os.environ))


def _last_file(env: Mapping[str, str]) -> Path:
    return sessions.last_in(_folder(env), Path.cwd())


def _folder(env: Mapping[str, str]) -> Path:
    return bisect_folder(env) / "sessions"


def _check_outputs(words: Words) -> None:
    """Raise LinkageError where the answer could not be written: before a long search, and not after it."""
    for place in filter(None, (words.json, words.output)):
        file = Path(place)
        if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
            told = "it is a folder" if file.is_dir() else "there is no such folder, or it is not yours"
            raise LinkageError(f"cannot be written: {told}", where=place)


def _search(request: Request, words: Words, book: Journal) -> int:
    try:
        with session_for(os.environ) as session:
            work = Work(request, words, book, session)
            answer = work.answer()
    except KeyboardInterrupt:
        say(f"interrupted; to go on: linkage bisect --resume {book.file}")
        return ExitCode.INTERRUPTED
    text = answer_text(answer)
    if words.output:
        try:
            Path(words.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise LinkageError(f"cannot be written: {error.strerror}", where=words.output) from None
    else:
        sys.stdout.write(text)
    if words.json:
        write_answer(words.json, answer)
    return ExitCode.OK if answer.groups else ExitCode.FAILED
