"""Every error that a user can get, each with its exit code and with what to do next.

The codes 0 to 5 are those of pytest, so that a script can treat `linkage` and `pytest` alike:
https://docs.pytest.org/en/stable/reference/exit-codes.html
"""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What `linkage` exits with; the numbers up to 5 are pytest's."""

    OK = 0
    FAILED = 1
    INTERRUPTED = 2
    INTERNAL = 3
    USAGE = 4
    NOTHING_RUN = 5
    FLAKY = 6
    """A bisection's results did not repeat."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class LinkageError(Exception):
    """Something that the user can fix: one line that says what is wrong, where, and what to do."""

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, *, where: Position | str | None = None, help: str | None = None) -> None:
        self.what = what
        self.where = where
        self.help = help
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" (help: {self.help})" if self.help else "")


class CaseError(LinkageError):
    """A mistake in a case file. Several may be found at once."""


class CaseErrors(LinkageError):  # noqa: N818 - several CaseError at once
    """All mistakes in one case file, a line each, in the file's order."""

    def __init__(self, errors: list[CaseError]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))


class PatternError(LinkageError):
    """A regular expression of a case that is invalid, or that takes too long to match."""


class AbsentCrateTypeError(CaseError):
    """The target does not have a crate type: the variant is skipped."""


class ToolchainError(LinkageError):
    """A toolchain that is missing, cannot be started, or does not answer as rustc does."""


class AbsentStdError(ToolchainError):
    """Nobody ships the std of this target for this compiler."""


class AbsentSuiteError(ToolchainError):
    """The mirror of a Debian archive does not have the suite."""


class UnverifiedError(ToolchainError):
    """The suite of a Debian archive is not signed by any key that the machine trusts."""


class ArtifactError(LinkageError):
    """An artifact that is truncated, malformed, or not what its name says."""

    exit_code = ExitCode.FAILED


class StoreError(LinkageError):
    """The store cannot be read or written."""

    exit_code = ExitCode.FAILED


class NoResultError(LinkageError):
    """No result is stored of what a table should show."""

    exit_code = ExitCode.NOTHING_RUN
