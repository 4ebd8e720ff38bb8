"""All checks of a case that fits the model, in order.

A check is not made if its errors would only follow from those of an earlier one: if an axis has
no values, or a variable is unknown, the cells and the steps are not checked.
"""

from collections.abc import Iterator

from linkage.case.case import Case
from linkage.case.check.artifacts import check_never, check_references
from linkage.case.check.axes import check_axes
from linkage.case.check.bugs import check_bugs
from linkage.case.check.claims import check_claims
from linkage.case.check.compilers import built_by, built_for, has_compilers
from linkage.case.check.conditions import check_conditions
from linkage.case.check.equivalence import equivalent_cells
from linkage.case.check.parallel import check_parallel
from linkage.case.check.requirements import impossible
from linkage.case.check.sizes import check_sizes
from linkage.case.check.sources import check_files, check_sources
from linkage.case.check.survey import survey_cells
from linkage.case.check.variables import check_unused, check_variables
from linkage.case.check.working_folder import check_working_folder
from linkage.case.document import Document, KeyPath
from linkage.case.model import CaseModel
from linkage.errors import CaseError
from linkage.toolchain.version import VersionRange
from linkage.toolchain.vocabulary import FIXED

_RANGE = "conditions divided by commas must all hold; write `||` between alternatives"


def check(case: Case) -> list[CaseError]:
    """Every error in a case that fits the model, each once."""
    model, doc = case.model, case.document
    errors = [*_ranges(model, doc), *impossible(case, FIXED), *check_files(model, doc, case.folder)]
    axes = list(check_axes(model, doc))
    if axes:
        return [*errors, *axes]
    rows = case.rows
    if not rows:
        where = doc.key(("matrix", "exclude"))
        return [*errors, CaseError("the matrix is empty", where=where, help="`exclude` removes every cell")]
    built = list(built_for(built_by(rows, case.ids, model), model))
    unknown = [
        *check_conditions(model, doc, rows, [row for row, _ in built]),
        *check_variables(doc, rows),
        *check_working_folder(doc),
    ]
    if unknown:
        return [*errors, *unknown]
    survey = survey_cells(case, equivalent_cells(built, model, doc))
    if survey.findings:
        return [*errors, *survey.findings.errors(len(built))]
    check_references(survey)
    check_sources(survey, case.folder)
    check_parallel(survey)
    check_sizes(survey, model.sources)
    check_claims(survey, rows)
    return [
        *errors,
        *survey.findings.errors(len(built)),
        *check_never(survey),
        *check_unused(model, doc, rows, survey.used),
        *check_bugs(survey),
    ]


def _ranges(model: CaseModel, doc: Document) -> Iterator[CaseError]:
    found: list[tuple[str | None, KeyPath]] = [
        (model.toolchains, ("toolchains",)),
        (model.other_toolchains, ("other-toolchains",)),
    ]
    found += [(one.toolchain, ("requires", i, "toolchain")) for i, one in enumerate(model.requires)]
    for i, bug in enumerate(model.known_bugs):
        found.append((bug.toolchains, ("known-bugs", i, "toolchains")))
        found.append((bug.other_toolchains, ("known-bugs", i, "other-toolchains")))
    for text, path in found:
        if text is not None:
            try:
                VersionRange.parse(text)
            except ValueError as error:
                yield CaseError(str(error), where=doc.value(path))
                continue
            if not has_compilers(text):
                yield CaseError(f"no compiler is in the range `{text}`", where=doc.value(path), help=_RANGE)
