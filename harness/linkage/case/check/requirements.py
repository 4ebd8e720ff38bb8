"""Requirements that no toolchain can meet: a variant with one would be skipped for ever."""

from collections.abc import Iterator, Mapping

from linkage.case import steps
from linkage.case.base import suggest
from linkage.case.case import Case
from linkage.case.document import KeyPath
from linkage.case.resolution import HOST
from linkage.errors import CaseError
from linkage.toolchain.vocabulary import Vocabulary

_WHAT = {
    "arch": "no known target has the architecture `{}`",
    "codegen-backend": "there is no codegen backend `{}`",
    "crate-type": "unknown crate type `{}`",
    "flag": "no known rustc has `{}`",
    "libc": "no known target has the libc `{}`",
    "linker": "unknown linker `{}`",
    "object-format": "no known target has the object format `{}`",
    "os": "no known target has the operating system `{}`",
    "sanitizer": "no sanitizer `{}` has a runtime",
    "target": "no known rustc has the target `{}`",
}


def impossible(case: Case, known: Vocabulary) -> Iterator[CaseError]:
    """Report requirements and targets that are not among the known words; without an entry, any is known."""
    for key, word, path in _named(case):
        if key in known and word not in known[key]:
            where = case.document.value(path)
            nearby = sorted(known[key]) if len(known[key]) <= _LISTED else ()
            help = suggest(
                word, sorted(known[key]), f"expected one of {', '.join(nearby)}" if nearby else CHECK_SPELLING
            )
            yield CaseError(_WHAT[key].format(word), where=where, help=help)


_LISTED = 20
CHECK_SPELLING = "check the spelling, or name a `--toolchain` that has it"


def _named(case: Case) -> Iterator[tuple[str, str, KeyPath]]:
    """Each word that a requirement or a target of the case names, by the key of the requirement."""
    for index, requirement in enumerate(case.model.requires):
        for key in _WHAT:
            value = getattr(requirement, key.replace("-", "_"))
            for number, word in enumerate(value if isinstance(value, tuple) else (value,)):
                if word is not None:
                    yield key, spelled_flag(word) if key == "flag" else word, ("requires", index, key, number)
    yield from (("target", word, path) for word, path in _targets(case))


def spelled_flag(flag: str) -> str:
    """A flag as the vocabulary spells it: without its value, with hyphens."""
    return flag.partition("=")[0].replace("_", "-")


def _targets(case: Case) -> Iterator[tuple[str, KeyPath]]:
    matrix = case.model.matrix
    axis = matrix.axes.get("target", ())
    places: list[tuple[object, KeyPath]] = [(one, ("matrix", "target", i)) for i, one in enumerate(axis)]
    for part in ("rows", "include"):
        places += [
            (r.get("target"), ("matrix", part, i, "target")) for i, r in enumerate(getattr(matrix, part))
        ]
    for step, path in steps.every_step(case.model.steps, ("steps",)):
        if isinstance(step, (steps.RustcStep, steps.CcStep, steps.RunStep)):
            places.append((step.target, (*path, "target")))
    for value, path in places:
        word = value.get("name") if isinstance(value, Mapping) else value
        if isinstance(word, str) and "${" not in word and word != HOST and not word.endswith(".json"):
            yield word, path
