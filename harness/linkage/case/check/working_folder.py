"""The working folder in claims: only where its name can be seen."""

import re
from collections.abc import Iterator

from linkage.case.check.variables import texts
from linkage.case.document import Data, Document, KeyPath
from linkage.case.steps import EXPECTATIONS
from linkage.case.variables import REFERENCE
from linkage.errors import CaseError

_LITERAL_WORK = re.compile(r"\$WORK(?!\w)")
_EXPECTATIONS = {name.replace("_", "-") for name in EXPECTATIONS}
_WITHOUT_FOLDER = {
    "produces": "paths are relative to the working folder: leave `${work}/` out",
    "inputs": "write the file's name without its folder",
    "libraries": "write the file's name without its folder",
}
_HAS_FOLDER = {
    "when", "section", "content", "text", "runpath", "needed", "soname", "interpreter", "members", "same-as",
    "differs-from", "smaller-than", "artifact", "link-set", "stdout", "stderr", "args", "diagnostics",
    "native-static-libs", "output",
}  # fmt: skip
"""Keys of claims that the name of a folder may be in; those of no other are looked at with it."""
_AROUND = {"resolved", "exports-differ", "link"}
"""Keys of claims that have keys of claims in them."""


def check_working_folder(doc: Document) -> Iterator[CaseError]:
    """Report claims that ask for the working folder where its name is never seen, and its written form."""
    assert isinstance(doc.data, dict)  # noqa: S101 - the case has been validated
    yield from _in_claims(doc.data.get("claims"), ("claims",), doc)
    yield from _in_steps(doc.data.get("steps"), ("steps",), doc)


def _in_steps(steps: Data, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        place = (*path, index)
        yield from _in_claims(step.get("claims"), (*place, "claims"), doc)
        yield from _in_steps(step.get("parallel"), (*place, "parallel"), doc)
        expectations = {key: value for key, value in step.items() if key in _EXPECTATIONS}
        yield from _in_keys(expectations, place, doc)


def _in_claims(claims: Data, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    for subject, sets in claims.items() if isinstance(claims, dict) else ():
        yield from _in_keys(sets, (*path, subject), doc)


def _in_keys(data: Data, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _in_keys(item, (*path, index), doc)
    elif isinstance(data, dict):
        for key, value in data.items():
            place = (*path, key)
            if key == "each-member":
                for pattern, claims in value.items() if isinstance(value, dict) else ():
                    yield from _in_keys(claims, (*place, pattern), doc)
            elif key in _AROUND:
                yield from _in_keys(value, place, doc)
            else:
                yield from _in_text(key, value, place, doc)


def _in_text(key: str, data: Data, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    for text, where in texts(data, path, doc):
        if _LITERAL_WORK.search(text):
            yield CaseError("`$WORK` is not a variable", where=where, help="write `${work}`")
        elif key not in _HAS_FOLDER and any(found[1] == "work" for found in REFERENCE.finditer(text)):
            help = _WITHOUT_FOLDER.get(key, "claim it of `content`, `section` or `text`")
            yield CaseError(f"`{key}` never has the working folder in it", where=where, help=help)
