"""What validation found, in the words of whoever wrote the case: one error a place, at its position.

The model speaks of unions, tags and tuples; its author wrote a list where a text was meant.
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
    "summary": "say in one line what the case protects",
    "steps": "say what is built: `- rustc: lib.rs`",
    "signature": "say at which step the bug is seen, and how",
    "step": "the id of the step at which the bug shows, its action, or `end`",
    "change": "say what kind of change it is, as the report's JSON names it",
    "reason": "say why it is meant",
    "names": "say which symbols are meant; `*` for all",
}


def explain(error: ValidationError, doc: Document, base: KeyPath = ()) -> Iterator[CaseError]:
    """Every error in the validation of what stands at `base`, each place once, in no order."""
    details = error.errors(include_url=False)
    paths = [(*base, *detail["loc"]) for detail in details]
    alternatives: dict[KeyPath, list[ErrorDetails]] = {}
    for detail, path in zip(details, paths, strict=True):
        if detail["type"] == "too_short" and any(o[: len(path)] == path and o != path for o in paths):
            continue  # the elements' own errors say it better
        if detail["type"] in _EXPECTED:
            alternatives.setdefault(doc.real(path), []).append(detail)
        else:
            yield from _one(detail, path, doc)
    for path, found in alternatives.items():
        yield _wrong_type(path, found, doc)


def _wrong_type(path: KeyPath, found: Iterable[ErrorDetails], doc: Document) -> CaseError:
    details = list(found)
    kinds = dict.fromkeys(detail["type"] for detail in details)
    wanted = " or ".join(dict.fromkeys(_EXPECTED[kind] for kind in kinds))
    given = details[0].get("input")
    is_ = _FOUND.get(type(given), "nothing" if given is None else "something else")
    part = "an element of " if path and isinstance(path[-1], int) else ""
    help = "put it in quotes" if "string_type" in kinds and isinstance(given, (bool, int)) else None
    return CaseError(
        f"{part}`{_name(path)}` must be {wanted}, this is {is_}", where=doc.value(path), help=help
    )


def _one(detail: ErrorDetails, path: tuple[Any, ...], doc: Document) -> Iterator[CaseError]:
    context = detail.get("ctx") or {}
    real = doc.real(path)
    help = context.get("help")
    match detail["type"]:
        case "unknown_key":
            yield CaseError(detail["msg"], where=doc.key((*doc.real(path[:-1]), path[-1])), help=help)
        case "missing":
            key = str(path[-1])
            yield CaseError(f"the key `{key}` is missing", where=doc.value(path[:-1]), help=_MISSING.get(key))
        case "action":
            yield from _action(detail["input"], real, doc)
        case kind:
            what, otherwise = _said(kind, detail, _name(real))
            yield CaseError(what, where=_place(doc, path), help=help or otherwise)


def _action(given: object, path: KeyPath, doc: Document) -> Iterator[CaseError]:
    """A step that has no action, or several."""
    keys = [key for key in given if isinstance(key, str)] if isinstance(given, dict) else []
    found = [key for key in keys if key in ACTIONS]
    if len(found) > 1:
        named = " and ".join(f"`{key}`" for key in found)
        yield CaseError(
            f"one step cannot be {named}", where=doc.key((*path, found[1])), help="make it two steps"
        )
        return
    # `- rustcc: lib.rs`: the key that was meant to be the action
    meant = next((key for key in keys if nearest(key, list(ACTIONS))), None)
    if meant is not None:
        help = suggest(meant, list(ACTIONS))
        yield CaseError(f"`{meant}` is no kind of step", where=doc.key((*path, meant)), help=help)
        return
    yield CaseError(
        "a step needs one key that says what it does",
        where=doc.value(path),
        help=f"one of {', '.join(ACTIONS)}",
    )


def _said(kind: str, detail: ErrorDetails, name: str) -> tuple[str, str | None]:
    context = detail.get("ctx") or {}
    match kind:
        case "too_short" | "string_too_short":
            least = context.get("min_length", 1)
            what = "must not be empty" if least == 1 else f"needs at least {least}"
            return f"`{name}` {what}", None
        case "string_too_long":
            return (
                f"`{name}` is longer than {context['max_length']} characters",
                "`description` has room for more",
            )
        case "greater_than_equal" | "less_than_equal":
            bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            return f"`{name}` must be {bound}", None
        case "literal_error":
            expected = str(context["expected"]).replace("True", "true").replace("'", "`")
            return f"`{name}` cannot be `{_yaml(detail['input'])}`", f"it is {expected}"
        case "string_pattern_mismatch" if "#" in str(context.get("pattern")):
            return f"`{detail['input']}` is no issue or pull request", "write it as owner/repository#number"
        case "string_pattern_mismatch":
            return f"`{detail['input']}` is no tag", "small letters, digits and _, a letter first"
    return str(detail["msg"]), None


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _place(doc: Document, path: tuple[Any, ...]) -> Position:
    # Pydantic marks an error of a mapping's key itself so.
    return doc.key(doc.real(path[:-1])) if path and path[-1] == "[key]" else doc.value(path)


def _name(path: KeyPath) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "the case")
