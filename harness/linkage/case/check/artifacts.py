"""What steps refer to: each id, role, program and captured stream comes from an earlier step."""

import re
from collections.abc import Iterator

from linkage.case import steps
from linkage.case.base import nearest, suggest
from linkage.case.check.outputs import PossibleFiles
from linkage.case.check.survey import StepPlace, Survey, VariantGroup
from linkage.case.document import KeyPath
from linkage.case.output_kinds import ROLE_KINDS
from linkage.case.roles import is_role, is_side, role_references
from linkage.case.variables import references
from linkage.errors import CaseError


def check_references(survey: Survey) -> None:
    """Report duplicate ids, and references to what no earlier step of a variant makes."""
    known = survey.ids
    for cell in survey.cells:
        ids: set[str] = set()
        no_link: set[str] = set()
        kept: set[str] = set()
        processes: set[str] = set()
        produced = PossibleFiles()
        for place in cell.places:
            step = place.step.step
            if place.step.id in ids:
                where = survey.doc.value((*place.step.path, "id"))
                what = f"duplicate step id `{place.step.id}`"
                survey.findings.add(what, where, cell.names, "give one of them another `id`")
            ids.add(place.step.id)
            _artifacts(place, known, produced, cell, survey)
            _kept(place, kept, cell, survey)
            _streams(place, processes, cell, survey)
            if isinstance(step, steps.RunStep):
                _program(step.run, place, produced, cell, survey)
            if isinstance(step, steps.LinkOnlyStep) and step.link_only not in no_link:
                where = survey.doc.value((*place.step.path, "link-only"))
                what = f"no earlier step `{step.link_only}` has `no-link: true`"
                survey.findings.add(
                    what,
                    where,
                    cell.names,
                    suggest(step.link_only, sorted(no_link), "steps with `no-link: true`: {}"),
                )
            if isinstance(step, steps.RustcStep) and step.no_link:
                no_link.add(place.step.id)
            if isinstance(step, steps.ProcessStep) and step.capture:
                kept.add(place.step.id)
            if isinstance(step, steps.ProcessStep):
                processes.add(place.step.id)
            produced.add(place.step)


def _artifacts(
    place: StepPlace, known: set[str], produced: PossibleFiles, cell: VariantGroup, survey: Survey
) -> None:
    for reference in role_references(place.step.step):
        if reference.optional or reference.text in place.before:
            continue
        if is_role(reference.text, known) or _misspelt(reference, produced, survey):
            no_such_role(reference.text, (*place.step.path, *reference.path), place.before, cell, survey)


def _misspelt(reference: steps.RoleReference, produced: PossibleFiles, survey: Survey) -> bool:
    """Whether a text looks like a role of a step that does not exist, and no file has this name."""
    kind = reference.text.rpartition(".")[2]
    return (
        kind in ROLE_KINDS
        and reference.path[0] not in ("ar", "write")  # these create the file
        and re.fullmatch(r"\w+\.[\w-]+", reference.text) is not None
        and reference.text not in (*survey.model.sources, *survey.model.files)
        and not produced.has(reference.text)
    )


def no_such_role(
    role: str, path: KeyPath, produced: frozenset[str], cell: VariantGroup, survey: Survey
) -> None:
    """Report a role that is needed and that no earlier step makes."""
    owner = role.rpartition(".")[0]
    produced = frozenset(one for one in produced if not is_side(one))
    own = sorted(one for one in produced if one.startswith(f"{owner}."))
    help = (
        f"`{owner}` makes {', '.join(own)}; use `when` to limit this to the variants that have it"
        if own
        else suggest(role, sorted(produced), "made before this: {}")
    )
    survey.findings.add(f"no earlier step makes `{role}`", survey.doc.value(path), cell.names, help)


def _program(
    name: str, place: StepPlace, produced: PossibleFiles, cell: VariantGroup, survey: Survey
) -> None:
    programs = {role.removesuffix(".bin") for role in place.before if role.endswith(".bin")}
    if name in programs or is_role(name, survey.ids) or "${" in name or "/" in name or produced.has(name):
        return
    help = suggest(name, sorted(programs), "the programs made before this: {}")
    where = survey.doc.value((*place.step.path, "run"))
    survey.findings.add(f"no earlier step makes a program `{name}`", where, cell.names, help)


def _kept(place: StepPlace, kept: set[str], cell: VariantGroup, survey: Survey) -> None:
    data = survey.doc.at(place.step.path)
    own = {key: value for key, value in data.items() if key != "parallel"} if isinstance(data, dict) else {}
    for name, path in references(own):
        prefix, _, step_id = name.partition(".")
        if prefix == "captured" and step_id not in kept:
            help = suggest(step_id, sorted(kept), "steps with `capture` before this: {}")
            where = survey.doc.value((*place.step.path, *path))
            survey.findings.add(f"no earlier step `{step_id}` captures a stream", where, cell.names, help)


def _streams(place: StepPlace, processes: set[str], cell: VariantGroup, survey: Survey) -> None:
    for stream in ("stdout", "stderr"):
        text = getattr(place.step.step, stream, None)
        if text is None or text.same_as is None:
            continue
        step_id = text.stream(stream).rpartition(".")[0]
        if step_id not in processes:
            help = suggest(step_id, sorted(processes), "steps that start a process before this: {}")
            where = survey.doc.value((*place.step.path, stream, "same-as"))
            survey.findings.add(f"no earlier step `{step_id}` has a {stream}", where, cell.names, help)


def check_never(survey: Survey) -> Iterator[CaseError]:
    """Report steps that no variant has, and claims about what no variant makes."""
    ran = {place.step.path for cell in survey.cells for place in cell.places}
    for _, path in steps.every_step(survey.model.steps, ("steps",)):
        if path not in ran:
            # Its own `when` holds in some cell, or an earlier check would have reported it.
            help = "no cell satisfies both its `when` and that of the steps around it"
            yield CaseError("this step never runs", where=survey.doc.key(path), help=help)
    known, roles = survey.ids, survey.roles
    selected: dict[KeyPath, tuple[str, bool]] = {}
    for cell in survey.cells:
        for reference, made in _optional(cell, survey):
            hit = reference.text in made or not is_role(reference.text, known)
            selected[reference.path] = (reference.text, hit or selected.get(reference.path, ("", False))[1])
    for path, (role, hit) in selected.items():
        if not hit:
            near = nearest(role, sorted(roles))
            where = survey.doc.value(path) if path[-1] == "output" else survey.doc.key(path)
            listed = ", ".join(sorted(one for one in roles if not is_side(one))) or "nothing"
            help = f"did you mean `{near}`?" if near else f"the steps make {listed}"
            yield CaseError(
                f"no variant makes `{role}`, so this claim selects nothing", where=where, help=help
            )


def _optional(cell: VariantGroup, survey: Survey) -> Iterator[tuple[steps.RoleReference, frozenset[str]]]:
    for place in cell.places:
        for reference in role_references(place.step.step):
            if reference.optional:
                yield (
                    steps.RoleReference(reference.text, raw_path(survey, place.step.path, reference.path)),
                    place.after,
                )
    for subject in survey.model.claims:
        yield steps.RoleReference(subject, ("claims", subject)), cell.roles


def raw_path(survey: Survey, step: KeyPath, path: KeyPath) -> KeyPath:
    """The path as in the file, which may have a variable in a claim's subject."""
    if path[0] != "claims" or (*step, *path[:2]) in survey.doc.values:
        return (*step, *path)
    subjects = [key for key in survey.doc.keys if key[:-1] == (*step, "claims") and "${" in str(key[-1])]
    return (*subjects[0], *path[2:]) if len(subjects) == 1 else (*step, *path)
