"""Claims about a step's process: exit status, output, files produced, linker calls. Pure."""

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from linkage.case import claims, steps
from linkage.case.regular_expression import RegularExpression
from linkage.host.terminal import escape
from linkage.judge.name_set import (
    Mismatch,
    check_names,
    compare,
    listing,
    plural,
    unjudged,
    until_unmatchable,
)
from linkage.judge.text import check_text, messages
from linkage.plan.expectation import exit_holds, how
from linkage.plan.observation import Diagnostic, LinkerCall, Outcome, native_static_libs
from linkage.plan.plan import PlannedStep
from linkage.toolchain.version import RustcVersion

_MSVC_OPTION = re.compile(r"/[A-Za-z]+:")


def as_printed(step: PlannedStep, outcome: Outcome) -> Outcome:
    """The outcome with the line ends that the program wrote: C's streams write CR LF for LF on Windows
    (https://learn.microsoft.com/cpp/c-runtime-library/reference/fopen-wfopen, "text mode"), Rust's do not.
    """
    if step.parallel and outcome.parts:
        pairs = zip(step.parallel, outcome.parts, strict=True)
        return replace(outcome, parts=tuple(as_printed(part, one) for part, one in pairs))
    if not isinstance(step.model, steps.RunStep) or step.object_formats.get(step.id) != "coff":
        return outcome
    lines = {stream: getattr(outcome, stream).replace("\r\n", "\n") for stream in ("stdout", "stderr")}
    return replace(outcome, **lines)


def check_process(
    step: PlannedStep,
    outcome: Outcome,
    version: RustcVersion,
    files: Mapping[str, str],
    roles: Mapping[str, str],
    streams: Mapping[str, str],
) -> Iterator[tuple[str, Mismatch]]:
    """The claims that do not hold, each with its key.

    `files` are the expected texts beside the case, `roles` the artifacts' files by role, `streams` the
    outputs of earlier steps by `ID.stdout` and `ID.stderr`.
    """
    model = step.model
    if not isinstance(model, steps.ProcessStep):
        return
    holds = exit_holds(model.exit, outcome)
    if not holds:
        output = messages(outcome.stderr or outcome.stdout)
        yield "exit", Mismatch("", _expected(model.exit), f"{how(outcome)}\n{output}")
    for stream in ("stdout", "stderr"):
        text = getattr(model, stream)
        if text is not None and (holds or stream == "stderr"):
            other = streams.get(text.stream(stream))
            for miss in check_text(text, getattr(outcome, stream), files, other):
                yield stream, miss
    if isinstance(model, steps.RustcOptions):
        yield from _rustc(model, outcome, version, roles, step.linked, holds=holds)
    if model.produces is not None and holds:
        for miss in check_names(model.produces, _by_role(outcome.produced, roles, model.produces), version):
            yield "produces", miss


def _rustc(
    model: steps.RustcOptions,
    outcome: Outcome,
    version: RustcVersion,
    roles: Mapping[str, str],
    linked: Sequence[str],
    *,
    holds: bool,
) -> Iterator[tuple[str, Mismatch]]:
    if model.diagnostics is not None:
        for miss in _diagnostics(model.diagnostics, outcome.diagnostics):
            yield "diagnostics", miss
    if not holds:
        return
    if model.native_static_libs is not None:
        found = native_static_libs(outcome.stderr)
        if found is None:
            yield (
                "native-static-libs",
                Mismatch(
                    "",
                    "a native-static-libs note",
                    "none (help: add `--print native-static-libs` to `flags`)",
                ),
            )
        else:
            for miss in check_names(model.native_static_libs, found, version):
                yield "native-static-libs", miss
    for index, link in enumerate(model.link):
        for key, miss in _link(link, outcome.linker_calls, version, roles, linked):
            yield f"link[{index}].{key}", miss


def _expected(expected: int | str) -> str:
    if isinstance(expected, int):
        return f"exit status {expected}"
    return {
        "fails": "a failure (not a crash)",
        "fails-or-crashes": "a failure or a crash",
        "ice": "an internal compiler error",
        "any": "any exit status",
    }.get(expected, f"killed by {expected}")


def _by_role(produced: Sequence[str], roles: Mapping[str, str], claim: claims.Names) -> list[str]:
    # A claim may name a role, since a file's name depends on the target.
    claimed = {
        *claim.all,
        *claim.any,
        *claim.none,
        *(claim.only or ()),
        *claim.order,
        *claim.within,
        *claim.except_,
    }
    names = {path: role for role, path in roles.items() if role in claimed}
    return [names.get(path, path) for path in produced]


@until_unmatchable
def _diagnostics(claim: claims.DiagnosticClaim, found: Sequence[Diagnostic]) -> Iterator[Mismatch]:
    for pattern in claim.all:
        if not any(fits(pattern, one) for one in found):
            yield Mismatch("all", f"a diagnostic with {_described(pattern)}", _listed(found))
    for unwanted in claim.none:
        hit = [one for one in found if fits(unwanted, one)]
        if hit:
            yield Mismatch("none", f"no diagnostic with {_described(unwanted)}", _listed(hit))


def fits(pattern: claims.DiagnosticPattern, found: Diagnostic) -> bool:
    """Whether a diagnostic is one that a claim describes."""
    text = f"{found.message}\n{found.rendered}"
    return (
        pattern.code in (None, found.code)
        and (pattern.level is None or found.level.startswith(pattern.level))
        and (pattern.text is None or pattern.text in text)
        and (pattern.matches is None or RegularExpression(pattern.matches).search(text) is not None)
    )


def _described(pattern: claims.DiagnosticPattern) -> str:
    return ", ".join(f"{key} {value!r}" for key, value in pattern.model_dump(exclude_none=True).items())


def _listed(found: Sequence[Diagnostic]) -> str:
    lines = [f"{one.level}{f'[{one.code}]' if one.code else ''}: {escape(one.message)}" for one in found[:8]]
    return "\n".join(lines) or "no diagnostics"


def _link(
    claim: claims.LinkClaim,
    calls: Sequence[LinkerCall],
    version: RustcVersion,
    roles: Mapping[str, str],
    linked: Sequence[str],
) -> Iterator[tuple[str, Mismatch]]:
    if claim.output is not None:
        chosen = _calls_of(claim.output, calls, roles, linked)
        if isinstance(chosen, str):
            yield "output", unjudged(chosen)
            return
        calls = chosen
    if claim.count is not None and not compare(claim.count, len(calls)):
        yield "count", Mismatch("", f"count {claim.count}", plural(len(calls), "linker call"))
    if not calls:
        found = f"no linker call for {claim.output}" if claim.output else "no linker call"
        keys = (key for key in ("args", "libraries", "inputs", "exports") if getattr(claim, key) is not None)
        about = next(keys, "export-list" if claim.export_list is not None else None)
        if about is not None or claim.count is None:
            yield about or "count", Mismatch("", "a linker call", found)
        return
    for call in calls:
        yield from _of_call(claim, call, version)


def _of_call(
    claim: claims.LinkClaim, call: LinkerCall, version: RustcVersion
) -> Iterator[tuple[str, Mismatch]]:
    for key, names in (
        ("args", call.args),
        ("libraries", libraries(call)),
        ("inputs", inputs(call)),
        ("exports", call.exports),
    ):
        names_claim = getattr(claim, key)
        if names_claim is None:
            continue
        if names is None:
            yield key, Mismatch("", "a version script or export list", f"none in {listing(call.args)}")
            continue
        yield from ((key, miss) for miss in check_names(names_claim, names, version))
    if claim.export_list is not None and claim.export_list != (call.exports is not None):
        yield (
            "export-list",
            Mismatch("", str(claim.export_list).lower(), str(call.exports is not None).lower()),
        )


def _calls_of(
    output: str, calls: Sequence[LinkerCall], roles: Mapping[str, str], linked: Sequence[str]
) -> Sequence[LinkerCall] | str:
    """The calls that made an output, or why it is not known which did."""
    name = PurePosixPath(roles.get(output, output)).name
    calls = [call for call in calls if call.output is not None and _is_output(call.output, name)]
    namesakes = [role for role in linked if PurePosixPath(roles[role]).name == name]
    if output not in namesakes or len(namesakes) == 1:
        return calls
    # Nothing in a call tells its crate type, but rustc links one after the other.
    if len(calls) > len(namesakes):
        return f"{plural(len(calls), 'linker call')} made {name}, which is {listing(namesakes)}"
    place = namesakes.index(output)
    return calls[place : place + 1]


def _is_output(output: str, name: str) -> bool:
    return output == name or fnmatch.fnmatch(output, f"{name}.*")


def libraries(call: LinkerCall) -> list[str]:
    """The libraries of a call in order: `-lfoo`, and archives and shared libraries by file name."""
    found = []
    for before, word in zip(("", *call.args), call.args, strict=False):
        if before == "-o" or _MSVC_OPTION.match(word):
            continue
        if word.startswith("-l"):
            found.append(word)
        elif not word.startswith("-") and re.search(r"\.(a|rlib|so(\.\d+)*|lib|dll|dylib|tbd)$", word):
            found.append(PurePosixPath(word).name)
    return found


def inputs(call: LinkerCall) -> list[str]:
    """The object files and archives of a call by file name, in order."""
    return [
        PurePosixPath(word).name
        for word in call.args
        if word.endswith((".o", ".obj", ".a", ".rlib"))
        and not word.startswith("-")
        and not _MSVC_OPTION.match(word)
    ]
