"""The errors of validation in the terms of the YAML that the author wrote: one for each place.

The model has unions, tags and tuples; the author wrote a list instead of a text.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from linkage.case.base import nearest, suggest
from linkage.case.document import Document, KeyPath
from linkage.case.steps import ACTIONS
from linkage.errors import CaseError, Position

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_FOUND = {
    bool: "true or false",
    int: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}
_MISSING = {
    "summary": "describe in one line what the case protects",
    "steps": "list what to build, such as `- rustc: lib.rs`",
    "signature": "name the step at which the bug occurs, and how it fails",
    "step": "the id of the step at which the bug occurs, its action, or `end`",
    "change": "name the kind of change as in the report's JSON",
    "reason": "say why the change is expected",
    "names": "list the symbols; `*` means all",
}


def explain(error: ValidationError, doc: Document, base: KeyPath = ()) -> Iterator[CaseError]:
    """Every error in the validation of the part at `base`, one for each place, unordered."""
    details = error.errors(include_url=False)
    paths = [(*base, *detail["loc"]) for detail in details]
    alternatives: dict[KeyPath, list[ErrorDetails]] = {}
    for detail, path in zip(details, paths, strict=True):
        if detail["type"] == "too_short" and any(o[: len(path)] == path and o != path for o in paths):
            continue  # the elements' own errors are clearer
        if detail["type"] in _EXPECTED:
            alternatives.setdefault(doc.real(path), []).append(detail)
        else:
            yield from _one(detail, path, doc)
    for path, found in alternatives.items():
        yield _wrong_type(path, found, doc)


def _wrong_type(path: KeyPath, found: Iterable[ErrorDetails], doc: Document) -> CaseError:
    details = list(found)
    kinds = dict.fromkeys(detail["type"] for detail in details)
    expected = " or ".join(dict.fromkeys(_EXPECTED[kind] for kind in kinds))
    given = details[0].get("input")
    is_ = _FOUND.get(type(given), "null" if given is None else "something else")
    part = "an element of " if path and isinstance(path[-1], int) else ""
    help = "put it in quotes" if "string_type" in kinds and isinstance(given, (bool, int)) else None
    return CaseError(f"{part}`{_name(path)}` must be {expected}, not {is_}", where=doc.value(path), help=help)


def _one(detail: ErrorDetails, path: tuple[Any, ...], doc: Document) -> Iterator[CaseError]:
    context = detail.get("ctx") or {}
    real = doc.real(path)
    help = context.get("help")
    match detail["type"]:
        case "unknown_key":
            yield CaseError(detail["msg"], where=doc.key((*doc.real(path[:-1]), path[-1])), help=help)
        case "missing":
            key = str(path[-1])
            yield CaseError(f"missing key `{key}`", where=doc.value(path[:-1]), help=_MISSING.get(key))
        case "action":
            yield from _action(detail["input"], real, doc)
        case kind:
            what, otherwise = _described(kind, detail, _name(real))
            yield CaseError(what, where=_place(doc, path), help=help or otherwise)


def _action(given: object, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    """A step that has no action, or several."""
    keys = [key for key in given if isinstance(key, str)] if isinstance(given, dict) else []
    found = [key for key in keys if key in ACTIONS]
    if len(found) > 1:
        named = " and ".join(f"`{key}`" for key in found)
        yield CaseError(
            f"a step cannot be both {named}", where=doc.key((*path, found[1])), help="split it into two steps"
        )
        return
    # `- rustcc: lib.rs`: the key that was meant to be the action
    meant = next((key for key in keys if nearest(key, list(ACTIONS))), None)
    if meant is not None:
        help = suggest(meant, list(ACTIONS))
        yield CaseError(f"unknown kind of step `{meant}`", where=doc.key((*path, meant)), help=help)
        return
    yield CaseError(
        "this step has no action",
        where=doc.value(path),
        help=f"add one of {', '.join(ACTIONS)}",
    )


def _described(kind: str, detail: ErrorDetails, name: str) -> tuple[str, str | None]:
    context = detail.get("ctx") or {}
    match kind:
        case "too_short" | "string_too_short":
            least = context.get("min_length", 1)
            what = "must not be empty" if least == 1 else f"needs at least {least} elements"
            return f"`{name}` {what}", None
        case "string_too_long":
            return (
                f"`{name}` is longer than {context['max_length']} characters",
                "move details to `description`",
            )
        case "greater_than_equal" | "less_than_equal":
            bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            return f"`{name}` must be {bound}", None
        case "literal_error":
            expected = str(context["expected"]).replace("True", "true").replace("'", "`")
            return f"invalid value `{_yaml(detail['input'])}` for `{name}`", f"expected {expected}"
        case "string_pattern_mismatch" if "#" in str(context.get("pattern")):
            return f"`{detail['input']}` is not an issue or pull request", "write owner/repository#number"
        case "string_pattern_mismatch":
            return (
                f"`{detail['input']}` is not a tag",
                "use lower-case letters, digits and _, starting with a letter",
            )
    return str(detail["msg"]), None


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _place(doc: Document, path: tuple[Any, ...]) -> Position:
    # Pydantic marks an error in a mapping's key this way.
    return doc.key(doc.real(path[:-1])) if path and path[-1] == "[key]" else doc.value(path)


def _name(path: KeyPath) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "the case")
