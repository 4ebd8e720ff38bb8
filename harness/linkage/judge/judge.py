"""A plan's claims against its observation: all failures, then the known bugs. Pure."""

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from linkage.artifact.facts import Facts
from linkage.case.claims import ArtifactClaims, ArtifactReference
from linkage.case.document import KeyPath
from linkage.case.steps import EXPECTATIONS, ProcessStep
from linkage.errors import PatternError
from linkage.host.terminal import escape
from linkage.judge import known_bugs as known
from linkage.judge.artifact import check_artifact
from linkage.judge.comparison import Look, OtherArtifact, check_comparisons
from linkage.judge.failed_claim import FailedClaim
from linkage.judge.invariants import check_age, check_files, check_invariants
from linkage.judge.link_set import check_link_set
from linkage.judge.name_set import Mismatch, listing, unjudged
from linkage.judge.process import as_printed, check_process
from linkage.judge.selected_files import SelectedFiles
from linkage.judge.text import NOT_EMPTY, messages
from linkage.judge.verdict import Failure, OtherVariant, Verdict, VerdictKind
from linkage.judge.view import DESCRIBED, View, described
from linkage.plan.expectation import as_expected, ended_right, how, not_produced
from linkage.plan.observation import Observation, Outcome, captured_text, claim_variables
from linkage.plan.operations import Clean, Write
from linkage.plan.plan import ClaimGroup, Plan, PlannedStep, filled
from linkage.plan.shell import command_line, identifier
from linkage.plan.template import CapturedText, Template
from linkage.toolchain.platform import OBJECT_FORMATS
from linkage.toolchain.version import RustcVersion

Sibling = Callable[[PlannedStep, ArtifactReference, str], OtherArtifact | str]
"""An artifact (by subject) of another variant at this step, or why there is none."""

_ARCHIVES = ("staticlib", "rlib", "dylib-import", "cdylib-import", "proc-macro-import", "sdylib-import")
_IMAGES = ("dylib", "cdylib", "proc-macro", "bin", "shared")
_FOREIGN_KINDS = {
    "PE/COFF": "pe", "COFF": "coff", "Mach-O": "macho", "WebAssembly": "wasm", "XCOFF": "xcoff",
    "AIX archive": "archive",
}  # fmt: skip
"""The kinds of files of formats that no reader reads, by the name of the format."""


def kind_of_role(role: str, object_format: str) -> str | None:
    """The kind of file (`Facts.kind`) at a role on a target of this object format; None if it may be any."""
    kind = role.rpartition(".")[2]
    if kind in _ARCHIVES:
        return "archive"
    if kind == "rmeta":
        return "metadata"
    if kind in _IMAGES:
        return "pe" if object_format == "coff" else object_format or None
    return (object_format or None) if kind == "obj" else None


def judge(plan: Plan, observation: Observation, files: Mapping[str, str], sibling: Sibling) -> Verdict:
    """The verdict on a variant. `files` are the expected texts beside the case."""
    failures = list(_failures(plan, observation, files, sibling))
    commands = tuple(_commands(plan, observation))
    obtained = max((step.outcome.obtained for step in observation.steps), default="")
    try:
        outcome, bugs, reason = known.weigh(plan, observation, failures)
    except PatternError as error:
        outcome, bugs, reason = VerdictKind.ERROR, (), ""
        why = str(PatternError(error.what, help=error.help))
        failures.append(Failure("end", "known-bugs", str(error.where), "can be judged", why, error=True))
    stored = bool(observation.steps) and all(step.stored for step in observation.steps)
    rechecked = sum(step.rechecked for step in observation.steps)
    seconds = sum(step.outcome.seconds for step in observation.steps)
    return Verdict(outcome, reason, tuple(failures), bugs, commands, obtained, stored, rechecked, seconds)


def other_variant(plan: Plan, observation: Observation, reference: ArtifactReference) -> OtherVariant:
    """The variant that a reference means, as far as it was run."""
    axes = "_".join(f"{axis}_{value}" for axis, value in reference.variant.items())
    variable = f"OTHER_{identifier(axes)}"
    commands = (one.replace('"$WORK"', f'"${variable}"') for one in _commands(plan, observation))
    return OtherVariant(plan.variant.id, variable, tuple(commands))


def _commands(plan: Plan, observation: Observation) -> Iterator[str]:
    """The steps that were run, as they are typed; PATH is set once for all tools."""
    captured: dict[str, CapturedText] = {}
    path: tuple[str, ...] = ()
    for planned, seen in zip(plan.steps, observation.steps, strict=False):
        for part in planned.parallel or (planned,):
            folders = part.command.path if part.command is not None else ()
            if folders and folders != path:
                yield f'PATH={":".join(map(shlex.quote, folders))}:"$PATH"'
                path = folders
            command = replace(part.command, path=()) if part.command is not None else None
            yield shown_step(replace(part, command=command), captured)
        captured |= _captured(planned, seen.outcome)


def shown_step(step: PlannedStep, captured: Mapping[str, CapturedText] = MappingProxyType({})) -> str:
    """A step as a user types it in the working folder; `captured` by earlier steps."""
    if step.command is not None:
        return command_line(step.command, {}, captured)
    match step.operation:
        case Clean():
            return f"{step.operation.shell().removesuffix(' && sources')} # and put the case's sources back"
        case Write(content=Template() as text):
            return replace(step.operation, content=text.expanded(captured)).shell()
    return step.operation.shell() if step.operation is not None else ""


def _failures(
    plan: Plan, observation: Observation, files: Mapping[str, str], sibling: Sibling
) -> Iterator[Failure]:
    final = None
    captured: dict[str, CapturedText] = {}
    streams: dict[str, str] = {}
    present = set(files)
    for planned, seen in zip(plan.steps, observation.steps, strict=False):
        step = _with_captured(planned, captured)
        outcome = as_printed(step, seen.outcome)
        yield from _step(plan, step, outcome, files, streams, sibling)
        yield from _written(plan, step, outcome, present)
        present.update(outcome.produced)
        present.difference_update(outcome.removed)
        captured |= _captured(step, outcome)
        streams |= _streams(step, outcome)
        if not as_expected(step, outcome):
            final = step
            break
    if final is None and plan.end and observation.steps:
        last = observation.steps[-1].outcome
        for group in _groups_with_captured(plan.end, captured):
            yield from _group(plan, plan.steps[-1], group, last, "end", files, sibling)


def _captured(step: PlannedStep, outcome: Outcome) -> dict[str, CapturedText]:
    """What a step captures for later steps, by its id."""
    return {
        part.id: captured_text(one, part.model.capture)
        for part, one in zip(step.parallel or (step,), outcome.parts or (outcome,), strict=True)
        if isinstance(part.model, ProcessStep) and part.model.capture is not None
    }


def _with_captured(step: PlannedStep, captured: Mapping[str, CapturedText]) -> PlannedStep:
    """The step, its claims filled with what earlier steps captured."""
    if not captured:
        return step
    texts = claim_variables(captured)
    given = step.model.model_fields_set.intersection(EXPECTATIONS)
    model = step.model.model_copy(update={key: filled(getattr(step.model, key), texts) for key in given})
    claims = _groups_with_captured(step.claims, captured)
    parallel = tuple(_with_captured(part, captured) for part in step.parallel)
    return replace(step, model=model, claims=claims, parallel=parallel)


def _groups_with_captured(
    groups: tuple[ClaimGroup, ...], captured: Mapping[str, CapturedText]
) -> tuple[ClaimGroup, ...]:
    if not captured:
        return groups
    texts = claim_variables(captured)
    return tuple(replace(group, claims=filled(group.claims, texts)) for group in groups)


def _streams(step: PlannedStep, outcome: Outcome) -> dict[str, str]:
    """What the processes of a step printed, by `ID.stdout` and `ID.stderr`."""
    return {
        f"{part.id}.{stream}": getattr(one, stream)
        for part, one in zip(step.parallel or (step,), outcome.parts or (outcome,), strict=True)
        if part.command is not None
        for stream in ("stdout", "stderr")
    }


def _step(
    plan: Plan,
    step: PlannedStep,
    outcome: Outcome,
    files: Mapping[str, str],
    streams: Mapping[str, str],
    sibling: Sibling,
) -> Iterator[Failure]:
    if outcome.problem is not None or outcome.limit is not None:
        yield _error(plan, step, "", step.path, how(outcome))
        return
    known = {**streams, **_streams(step, outcome)} if step.parallel else streams
    for part, one in zip(step.parallel or (step,), outcome.parts or (outcome,), strict=True):
        if _crashed(part, one) and not ended_right(part, one):
            yield _error(
                plan,
                part,
                "exit",
                part.path,
                f"{how(one)}\n{messages(one.stderr or one.stdout)}",
            )
            continue
        for key, miss in check_process(part, one, part.toolchain.version, files, part.roles, known):
            yield _failure(plan, part, key, (*part.path, _place(key)), miss, ())
        for path in not_produced(part, replace(one, produced=outcome.produced)):
            miss = Mismatch("", f"produces {path}", f"succeeded, but produced {listing(outcome.produced)}")
            yield _failure(plan, part, "produces", part.path, miss, ())
    if ended_right(step, outcome):
        yield from _artifacts(plan, step, outcome, files, sibling)


def _artifacts(
    plan: Plan, step: PlannedStep, outcome: Outcome, files: Mapping[str, str], sibling: Sibling
) -> Iterator[Failure]:
    """The claims about files that do not hold after a step, and the invariants."""
    groups = (*step.claims, *(group for part in step.parallel for group in part.claims))
    for group in groups:
        yield from _group(plan, step, group, outcome, step.id, files, sibling)
    for part, one in zip(step.parallel or (step,), outcome.parts or (outcome,), strict=True):
        if one.status == 0:
            yield from _invariants(plan, part, outcome, step.id, (*groups, *plan.end))


def _invariants(
    plan: Plan, step: PlannedStep, outcome: Outcome, step_id: str, claims: Sequence[ClaimGroup]
) -> Iterator[Failure]:
    """What does not hold of the files that a step linked or archived, although no claim says so.

    That a file cannot be read is left to the case's own claims if it makes any about the file.
    """
    for group in step.invariants:
        facts = outcome.facts.get(group.file)
        if facts is None:
            continue  # whether it must exist is another claim
        view, version = View(facts), step.toolchain.version
        age = check_age(group.file, outcome) if "age" in group.names else ()
        for found in (*check_invariants(group.names, group.file, view, version), *age):
            if found.mismatch.error and any(
                group.file in SelectedFiles.of(outcome, one.patterns).names for one in claims
            ):
                continue  # the case's claims say what must be readable of it
            look = (found.look.format(file=shlex.quote(escape(group.file))),)
            key = f"{group.subject}.{found.key}"
            yield _failure(plan, step, key, group.path, found.mismatch, look, step_id)


def _written(plan: Plan, step: PlannedStep, outcome: Outcome, present: Collection[str]) -> Iterator[Failure]:
    """The files that a step wrote besides its outputs. `present`: those that were there before."""
    parts = step.parallel or (step,)
    groups = [group for part in parts for group in part.invariants if not group.file]
    if len(groups) != len(parts) or any(one.status != 0 for one in outcome.parts or (outcome,)):
        return  # a failed step may leave files behind, and another program than rustc may write any
    writes = {pattern for group in groups for pattern in group.writes}
    for found in check_files(writes, outcome, present):
        key = f"{groups[0].subject}.{found.key}"
        yield _failure(plan, parts[0], key, groups[0].path, found.mismatch, (found.look,), step.id)


def _crashed(step: PlannedStep, outcome: Outcome) -> bool:
    """Whether a compiler or a tool, not the program that a case builds, ended by a signal or an ICE."""
    by_signal = outcome.status is not None and outcome.status < 0
    return (by_signal or outcome.ice) and step.command is not None and step.command.program != "run"


def _place(key: str) -> str:
    return key.partition("[")[0].partition(".")[0]


def _group(
    plan: Plan,
    step: PlannedStep,
    group: ClaimGroup,
    outcome: Outcome,
    step_id: str,
    files: Mapping[str, str],
    sibling: Sibling,
) -> Iterator[Failure]:
    version = group.compiler
    selected = SelectedFiles.of(outcome, group.patterns)
    if not group.claims.exists:
        for name in sorted({*selected.names, *selected.others}):
            what = selected.others.get(name) or f"{outcome.facts[name].size} bytes"
            miss = Mismatch("", "does not exist", f"exists, {what}")
            yield _failure(
                plan,
                step,
                f"{group.subject}.exists",
                group.path,
                miss,
                (f"ls -l {shlex.quote(escape(name))}",),
                step_id,
            )
        return
    if selected.unread and group.claims.model_fields_set - {"when", "exists"}:
        why = "; ".join(f"{escape(name)} is {what}" for name, what in selected.unread.items())
        yield _error(plan, step, group.subject, group.path, why, step_id)
    if not selected.names and selected.others:
        return
    if not selected.names:
        near = tuple(
            name for name in outcome.produced if name.rpartition(".")[2] == group.pattern.rpartition(".")[2]
        )
        miss = Mismatch("", f"{group.pattern} exists", "does not exist", near)
        yield _failure(plan, step, f"{group.subject}.exists", group.path, miss, ("ls -l",), step_id)
    for name in selected.names:
        facts = outcome.facts[name]
        expected = _expected_kind(step, group.subject)
        wrong = _damage(facts, group.claims)
        if wrong is None and group.claims.format is None:
            wrong = _unexpected(facts, expected)
        if wrong is not None:
            alone = name == group.pattern
            why = f"{name}: {wrong}" if alone else wrong
            failure = _error(plan, step, group.subject, group.path, why, step_id)
            yield failure if alone else replace(failure, file=escape(name))
            continue
        view = View(facts)
        results = [
            *check_artifact(group.claims, view, version, files),
            *check_comparisons(group.claims, facts, _look(step, group, outcome, sibling), version),
            *_link_set(group.claims, view, step, outcome, version),
            *_file(group.claims, name, outcome),
        ]
        for result in results:
            key = f"{group.subject}.{result.key}"
            look = (result.look.format(file=shlex.quote(escape(name))),) if result.look else ()
            path = (*group.path, *_parts(result.key))
            failure = _failure(plan, step, key, path, result.mismatch, look, step_id)
            file = escape(name) if name != group.pattern else ""
            yield replace(failure, file=file, member=result.member, other=result.other)


def _parts(key: str) -> Iterator[str | int]:
    """The path of a claim below its subject: `symbols[1]` is the second item of a list."""
    for part in key.split("."):
        name, _, index = part.partition("[")
        yield name
        if index.removesuffix("]").isdigit():
            yield int(index.removesuffix("]"))


_OF_BYTES = {"when", "exists", "size", "mode", "content", "smaller_than"}
"""Claims that need no reader."""


def _damage(facts: Facts, claims: ArtifactClaims) -> str | None:
    """Why a file could not be read, if the claims need more of it than its bytes."""
    if facts.error is None or claims.model_fields_set <= _OF_BYTES:
        return None
    return f"{described(facts)} that cannot be read: {facts.error}"


def _expected_kind(step: PlannedStep, subject: str) -> str | None:
    if subject not in step.roles:
        return None
    return kind_of_role(subject, step.object_formats.get(subject.rpartition(".")[0], "elf"))


def _unexpected(facts: Facts, expected: str | None) -> str | None:
    kind = _FOREIGN_KINDS.get((facts.other and facts.other.format) or "", facts.kind)
    in_object = expected == "metadata" and kind in OBJECT_FORMATS  # rustc may wrap metadata in an object
    if expected is None or expected == kind or in_object:
        return None
    return f"expected {DESCRIBED[expected]}, found {described(facts)}"


def _look(step: PlannedStep, group: ClaimGroup, outcome: Outcome, sibling: Sibling) -> Look:
    def look(reference: ArtifactReference) -> OtherArtifact | str:
        subject = reference.artifact or group.subject
        if reference.variant:
            return sibling(step, reference, subject)
        path = step.roles.get(subject, subject)
        facts = outcome.facts.get(path)
        if facts is not None:
            return OtherArtifact(facts, path)
        what = outcome.others.get(path)
        return f"{path} does not exist" if what is None else f"{path} is {what}"

    return look


def _file(claims: ArtifactClaims, name: str, outcome: Outcome) -> Iterator[FailedClaim]:
    """Claims about the file itself: mode and raw content."""
    mode = outcome.modes.get(name, 0)
    if claims.mode is not None and int(claims.mode, 8) != mode:
        yield FailedClaim("mode", Mismatch("", claims.mode, f"{mode:o}"), "ls -l {file}")
    if claims.content is None:
        return
    size, found = outcome.facts[name].size, outcome.texts.get(name, ())
    if not size:
        miss = NOT_EMPTY if claims.content.contains else unjudged("nothing to judge: it is empty")
        yield FailedClaim("content", miss, "ls -l {file}")
        return
    for text in claims.content.contains:
        if text not in found:
            miss = Mismatch("contains", f"contains {escape(repr(text))}", f"not in its {size} bytes")
            yield FailedClaim("content", miss, "strings {file}")
    for text in claims.content.not_contains:
        if text in found:
            yield FailedClaim(
                "content",
                Mismatch("not-contains", f"does not contain {escape(repr(text))}", "contains it"),
                "strings {file}",
            )


def _link_set(
    claims: ArtifactClaims, view: View, step: PlannedStep, outcome: Outcome, version: RustcVersion
) -> Iterator[FailedClaim]:
    if claims.resolved is not None:
        yield from check_link_set(claims.resolved, view, step.roles, outcome, version)


def _failure(
    plan: Plan,
    step: PlannedStep,
    key: str,
    path: KeyPath,
    mismatch: Mismatch,
    look: Sequence[str],
    step_id: str | None = None,
) -> Failure:
    part = mismatch.part
    return Failure(
        step_id or step.id,
        f"{key}.{part}" if part else key,
        str(plan.variant.case.position((*path, *part.split(".")))),
        mismatch.claimed,
        mismatch.found,
        mismatch.nearest,
        tuple(look),
        mismatch.error,
        wrong=mismatch.wrong,
    )


def _error(
    plan: Plan, step: PlannedStep, key: str, path: KeyPath, why: str, step_id: str | None = None
) -> Failure:
    return Failure(
        step_id or step.id, key, str(plan.variant.case.position(path)), "can be judged", why, error=True
    )
