"""Known bugs: their signatures name steps, and claims, that the case has."""

from collections.abc import Collection, Iterator

from linkage.case.base import kebab, suggest
from linkage.case.check.survey import Survey
from linkage.case.claims import ArtifactClaims
from linkage.case.invariants import OF_KIND, OF_STEP
from linkage.case.resolution import ResolvedStep
from linkage.case.steps import ACTIONS, EXPECTATIONS, LinkOnlyStep
from linkage.errors import CaseError

_EXPECTATIONS = {kebab(field) for field in EXPECTATIONS}
_INVARIANTS = ".invariants."


def check_bugs(survey: Survey) -> Iterator[CaseError]:
    """Report signatures that can never match."""
    ids = sorted(survey.ids)
    for index, bug in enumerate(survey.model.known_bugs):
        path = ("known-bugs", index, "signature")
        step = bug.signature.step
        if step not in {*ids, *ACTIONS, "end"}:
            help = suggest(step, ids, "the steps are {}")
            yield CaseError(f"there is no step `{step}`", where=survey.doc.value((*path, "step")), help=help)
            continue
        claimed = _claimed(survey, step)
        for number, claim in enumerate(bug.signature.claim):
            first = claim.partition(".")[0].partition("[")[0]
            if first not in _EXPECTATIONS and not any(
                claim == one or one.startswith(f"{claim}.") or claim.startswith(f"{one}.") for one in claimed
            ):
                named = [one for one in claimed if _INVARIANTS in claim or _INVARIANTS not in one]
                help = suggest(claim, sorted(named), "its claims: {}")
                where = survey.doc.value((*path, "claim", number))
                yield CaseError(f"`{step}` has no claim `{claim}`", where=where, help=help)


def _claimed(survey: Survey, name: str) -> set[str]:
    """The claims about artifacts at a step, by their keys."""
    found: set[str] = set()
    for cell in survey.cells:
        for place in cell.places:
            action = place.step.step.action
            if name in (place.step.id, action):
                found |= _keys(place.step.step.claims)
                found |= _invariants(place.step, survey.model.invariants)
    return found | _keys(survey.model.claims) if name == "end" else found


def _invariants(resolved: ResolvedStep, lifted: Collection[str]) -> set[str]:
    """The keys of the invariants of a step, and of what it may link or archive."""
    step = resolved.step
    owner, kinds = (
        (step.link_only, [*OF_KIND]) if isinstance(step, LinkOnlyStep) else (resolved.id, resolved.roles)
    )
    of_files = [(f"{owner}.{kind}", name) for kind in kinds for name in OF_KIND.get(kind, ())]
    of_step = [(resolved.id, name) for name in OF_STEP]
    return {f"{subject}{_INVARIANTS}{name}" for subject, name in (*of_files, *of_step) if name not in lifted}


def _keys(claims: dict[str, tuple[ArtifactClaims, ...]]) -> set[str]:
    return {
        f"{subject}.{key}"
        for subject, sets in claims.items()
        for one in sets
        for key in ("exists", *(_alias(name) for name in one.model_fields_set - {"when"}))
    }


def _alias(name: str) -> str:
    return ArtifactClaims.model_fields[name].alias or name
