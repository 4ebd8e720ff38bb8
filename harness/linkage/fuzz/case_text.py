"""A case as YAML that a person reads: block style outside, one line for what is short. Pure."""

import json
import re
from collections.abc import Mapping, Sequence

from linkage.case.document import is_plain

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+*=-]*")
_WIDTH = 100


def case_text(case: Mapping[str, object], heading: str = "") -> str:
    """The YAML of a case, from its data: texts, numbers, truth values, lists and mappings."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    for key, value in case.items():
        lines += _entry(key, value, "")
    return "\n".join(lines) + "\n"


def _entry(key: str, value: object, indent: str) -> list[str]:
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        chomp = "" if value.endswith("\n") else "-"
        body = [f"{indent}  {line}".rstrip() for line in value.splitlines()]
        return [f"{indent}{_flow(key)}: |{chomp}", *body]
    line = f"{indent}{_flow(key)}: {_flow(value)}"
    fits = len(line) <= _WIDTH or not isinstance(value, Mapping | list | tuple) or not value
    if fits and not (isinstance(value, Mapping) and any(_is_text(one) for one in value.values())):
        return [line]
    if isinstance(value, Mapping):
        return [f"{indent}{_flow(key)}:", *(x for k, v in value.items() for x in _entry(k, v, f"{indent}  "))]
    assert isinstance(value, Sequence)  # noqa: S101 - what is long and no mapping is a list
    return [f"{indent}{_flow(key)}:", *(x for one in value for x in _item(one, f"{indent}  "))]


def _item(value: object, indent: str) -> list[str]:
    line = f"{indent}- {_flow(value)}"
    if len(line) <= _WIDTH or not isinstance(value, Mapping):
        return [line]
    inner = [x for k, v in value.items() for x in _entry(k, v, f"{indent}  ")]
    return [f"{indent}- {inner[0].lstrip()}", *inner[1:]]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def _flow(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and is_plain(value):
            return value
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    assert isinstance(value, Sequence)  # noqa: S101 - the types that a case's data has
    return "[" + ", ".join(map(_flow, value)) + "]"
