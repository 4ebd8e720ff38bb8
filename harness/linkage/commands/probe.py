"""`linkage probe`: one case on one compiler, answered by an exit status, for another tool's bisection.

`git bisect run` takes 0 for good, 125 for cannot tell, 1 to 127 for bad, and stops at anything
else: https://git-scm.com/docs/git-bisect. cargo bisect-rustc's `--script` takes 0 for the
baseline and all else for the regression: https://rust-lang.github.io/cargo-bisect-rustc/.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from linkage.bisect.question import Kind, Question, questions, why
from linkage.bisect.signature import Seen, seen
from linkage.case.case import Case
from linkage.commands.repro import session_for
from linkage.errors import LinkageError, ToolchainError
from linkage.run.selection import one_case, variants
from linkage.run.session import Session

GOOD, BAD, CANNOT_TELL, STOP = 0, 1, 125, 255
"""`git bisect run`'s own; the last one ends it."""


class Saved(msgspec.Struct):
    """A failing end as `--save` writes it: what each variant showed there."""

    case: str
    toolchain: str
    variants: dict[str, Seen]


def probe(
    text: str,
    toolchain: str | None,
    *,
    save: str | None = None,
    like: str | None = None,
    script_mode: bool = False,
    ignore_limits: bool = False,
) -> int:
    """Try a case on a compiler and say what came out. Raises LinkageError for wrong input."""
    case, named, cell = one_case(text)
    if ignore_limits:
        case = without_limits(case)
    spec = toolchain or named or chosen(os.environ)
    saved = _load(like, case.name) if like else None
    with session_for(os.environ) as session:
        try:
            found = _see(session, case, cell, spec)
        except ToolchainError as error:
            print(f"cannot tell: {error}", file=sys.stderr)
            return _status(CANNOT_TELL, script_mode=script_mode)
    if save:
        _save(save, Saved(case.name, spec, found))
    answers = [_answer(case.name, name, one, saved) for name, one in found.items()]
    worst = BAD if BAD in answers else CANNOT_TELL if CANNOT_TELL in answers else GOOD
    return _status(worst, script_mode=script_mode)


def chosen(env: Mapping[str, str]) -> str:
    """The compiler that another tool chose for this probe. Raises ToolchainError where none did."""
    spec = env.get("RUSTUP_TOOLCHAIN") or ("$RUSTC" if env.get("RUSTC") else None)
    if spec is None:
        raise LinkageError(
            "no compiler is named", where="probe", help="--toolchain SPEC, or set RUSTC or RUSTUP_TOOLCHAIN"
        )
    return spec


def without_limits(case: Case) -> Case:
    """The case on any compiler, whatever range it says it is about."""
    return replace(case, model=case.model.model_copy(update={"toolchains": None}))


def _see(session: Session, case: Case, cell: str | None, spec: str) -> dict[str, Seen]:
    (one,) = session.toolchains([spec])
    tried = variants(case, one, cell)
    names = [name for name in case.ids if cell in (None, name)]
    return {name: seen(session.verdict(variant)) for name, variant in zip(names, tried, strict=True)}


def _answer(case: str, name: str, found: Seen, saved: Saved | None) -> int:
    """One variant's answer, said in a line."""
    failing = found if saved is None else saved.variants.get(name)
    asked: tuple[Question, ...] = questions(name, failing) if failing is not None else ()
    if saved is None and found.outcome in ("pass", "known"):
        kinds, told = [Kind.PASS], found.reason or "passes"
    elif saved is None and found.outcome == "fixed":
        kinds, told = [Kind.SAME], found.reason
    elif saved is None and (found.outcome in ("skip", "error") or not asked):
        kinds, told = [Kind.UNJUDGED], found.reason or str(next(iter(found.failures), found.outcome))
    elif not asked:
        # It did not fail at the end that was saved, so it says nothing about what failed there.
        kinds, told = [Kind.PASS], "did not fail where the signature was saved"
    else:
        kinds, told = [one.kind(found) for one in asked], why(asked[0], found)
    answer = BAD if Kind.SAME in kinds else GOOD if set(kinds) == {Kind.PASS} else CANNOT_TELL
    word = {GOOD: "good", BAD: "bad", CANNOT_TELL: "cannot tell"}[answer]
    print(f"{word}: {case}{f'[{name}]' if name else ''}: {told}", file=sys.stderr)
    return answer


def _status(answer: int, *, script_mode: bool) -> int:
    # A script of cargo bisect-rustc has no third answer: what is not the failure is the baseline.
    return int(answer == BAD) if script_mode else answer


def _save(place: str, saved: Saved) -> None:
    try:
        Path(place).write_bytes(msgspec.json.format(msgspec.json.encode(saved), indent=1) + b"\n")
    except OSError as error:
        raise LinkageError(f"cannot be written: {error.strerror}", where=place) from None


def _load(place: str, case: str) -> Saved:
    try:
        saved = msgspec.json.decode(Path(place).read_bytes(), type=Saved)
    except OSError as error:
        raise LinkageError(f"cannot be read: {error.strerror}", where=place) from None
    except msgspec.DecodeError as error:
        raise LinkageError(
            f"is no signature: {error}", where=place, help="write one with: linkage probe CASE --save FILE"
        ) from None
    if Path(saved.case).name != Path(case).name:
        # Its variants would all be good, whatever they show.
        raise LinkageError(
            f"is the signature of {saved.case}, not of {case}", where=place, help=f"probe {saved.case}"
        )
    return saved
