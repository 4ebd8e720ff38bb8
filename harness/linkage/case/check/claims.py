"""What claims are about and compare with: artifacts that steps make, variants that the matrix has."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from linkage.case.base import suggest
from linkage.case.check.artifacts import no_such_role, raw_path
from linkage.case.check.axes import spelled
from linkage.case.check.conditions import check_value, values_of
from linkage.case.check.formats import unjudgeable
from linkage.case.check.survey import Survey, VariantGroup
from linkage.case.claims import ArtifactClaims, ArtifactReference, ClaimMap
from linkage.case.condition import COMPILER
from linkage.case.document import KeyPath, position_of
from linkage.case.roles import is_role

_ITSELF = "name another artifact, or limit the claim with `when`"


class _Here(NamedTuple):
    """Where a claim is judged: the variants, and what their steps have made."""

    cell: VariantGroup
    roles: frozenset[str]
    subject: str


def check_claims(survey: Survey, rows: Sequence[Mapping[str, Any]]) -> None:
    """Report comparisons with what no step makes, with no cell of the matrix, or with the artifact itself;
    and claims about what the artifact's format does not have.
    """
    checked = _Checked(survey, rows)
    for cell in survey.cells:
        for place in cell.places:
            checked.claims(place.step.step.claims, place.step.path, cell, place.after)
        checked.claims(survey.model.claims, (), cell, cell.roles)
    checked.report_itself()


class _Checked:
    def __init__(self, survey: Survey, rows: Sequence[Mapping[str, Any]]) -> None:
        self.survey = survey
        self.rows = rows
        self.ids = survey.ids
        self.itself: dict[KeyPath, list[tuple[tuple[str, ...], bool]]] = {}
        """For each comparison the variants, and whether it is with the artifact itself."""

    @cached_property
    def known(self) -> set[object]:
        return {_key(row) for row in self.rows}

    @cached_property
    def values(self) -> dict[str, list[Any]]:
        return values_of(self.rows)

    def claims(self, found: ClaimMap, base: KeyPath, cell: VariantGroup, roles: frozenset[str]) -> None:
        for subject, sets in found.items():
            if is_role(subject, self.ids) and subject not in roles:
                continue
            place = raw_path(self.survey, base, ("claims", subject))
            for index, one in enumerate(sets):
                if one.when is None or one.when.holds(cell.row):
                    here = _Here(cell, roles, subject)
                    for reference, path in compared_with(one):
                        self.reference(reference, (*place, index, *path), here)
                    for text, path in _within(one):
                        self.made(text, (*place, index, *path), here)
                    if is_role(subject, self.ids):
                        self.format((*place, index), one, here)

    def made(self, role: str, path: KeyPath, here: _Here) -> None:
        if is_role(role, self.ids) and role not in here.roles:
            no_such_role(role, path, here.roles, here.cell, self.survey)

    def format(self, place: KeyPath, claims: ArtifactClaims, here: _Here) -> None:
        for what, path, help in unjudgeable(here.subject, claims):
            self.survey.findings.add(what, self.survey.doc.key((*place, *path)), here.cell.names, help)

    def reference(self, reference: ArtifactReference, path: KeyPath, here: _Here) -> None:
        same = reference.artifact in (None, here.subject)
        artifact = (*path, "artifact")
        if not reference.variant:
            self.made(reference.artifact or here.subject, artifact, here)
            self.itself.setdefault(path, []).append((here.cell.names, same))
            return
        role = reference.artifact or here.subject
        if is_role(role, self.ids) and role not in self.survey.roles:
            what = f"no variant makes `{role}`"
            help = suggest(role, sorted(self.survey.roles), "the steps make {}")
            self.survey.findings.add(what, self.survey.doc.value(artifact), here.cell.names, help)
        wrong = [
            error
            for axis, value in reference.variant.items()
            for error in check_value(axis, [value], (*path, "variant", axis), self.values, self.survey.doc)
        ]
        for error in wrong:
            self.survey.findings.add(error.what, position_of(error), here.cell.names, error.help)
        sibling = _key({**here.cell.row, **reference.variant})
        if not wrong and sibling not in self.known:
            what = "the matrix has no variant to compare with"
            differs = ", ".join(f"{axis}: {spelled(value)}" for axis, value in reference.variant.items())
            help = f"no other cell has {differs} and is the same otherwise; limit the claim with `when`"
            where = self.survey.doc.key((*path, "variant"))
            self.survey.findings.add(what, where, here.cell.names, help)
        self.itself.setdefault(path, []).append((here.cell.names, same and sibling == _key(here.cell.row)))

    def report_itself(self) -> None:
        """Report comparisons that are with the artifact itself in every variant."""
        for path, judged in self.itself.items():
            if all(same for _, same in judged):
                for names, _ in judged:
                    what = "this compares the artifact with itself"
                    self.survey.findings.add(what, self.survey.doc.value(path), names, _ITSELF)


def compared_with(claims: ArtifactClaims) -> Iterator[tuple[ArtifactReference, KeyPath]]:
    """What claims compare with, and where in them it is named."""
    for key, listed in (("same-as", claims.same_as), ("differs-from", claims.differs_from)):
        yield from ((one, (key, index)) for index, one in enumerate(listed))
    for key, single in (("smaller-than", claims.smaller_than), ("exports-differ", claims.exports_differ)):
        if single is not None:
            yield single, (key,)


def _within(claims: ArtifactClaims) -> Iterator[tuple[str, KeyPath]]:
    if claims.resolved is not None:
        yield from ((text, ("resolved", "link-set", i)) for i, text in enumerate(claims.resolved.link_set))


def _key(row: Mapping[str, Any]) -> object:
    """A cell's values, comparable as conditions compare them."""
    return frozenset((axis, _comparable(value)) for axis, value in row.items() if axis != COMPILER)


def _comparable(value: object) -> object:
    if isinstance(value, Mapping):
        return _comparable(value.get("name"))
    if isinstance(value, (list, tuple)):
        return tuple(repr(one) for one in value)
    return repr(value)
