"""Every error that a user can get is in one module, with the exit code that is promised here."""

import ast
from pathlib import Path

from linkage import errors
from linkage.errors import ExitCode, LinkageError, Position

CODES = {
    "LinkageError": ExitCode.USAGE,
    "CaseError": ExitCode.USAGE,
    "CaseErrors": ExitCode.USAGE,
    "PatternError": ExitCode.USAGE,
    "AbsentCrateTypeError": ExitCode.USAGE,
    "ToolchainError": ExitCode.USAGE,
    "AbsentStdError": ExitCode.USAGE,
    "AbsentSuiteError": ExitCode.USAGE,
    "UnverifiedError": ExitCode.USAGE,
    "ArtifactError": ExitCode.FAILED,
    "StoreError": ExitCode.FAILED,
    "NoResultError": ExitCode.NOTHING_RUN,
}


def test_each_error_has_its_exit_code() -> None:
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, LinkageError)
    }
    assert found == CODES


def test_no_other_module_defines_one() -> None:
    others = [
        f"{path}: {node.name}"
        for path in Path(errors.__file__).parent.rglob("*.py")
        if path != Path(errors.__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in CODES for base in node.bases)
    ]
    assert others == []


def test_an_error_is_one_line() -> None:
    assert str(LinkageError("is wrong")) == "is wrong"
    error = LinkageError("is wrong", where=Position("c.yaml", 3, 7), help="remove it")
    assert str(error) == "c.yaml:3:7: is wrong (help: remove it)"
