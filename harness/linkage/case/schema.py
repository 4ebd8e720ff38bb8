"""The JSON Schema of a case file, generated from the model, for editors to complete from."""

import ast
import inspect
import itertools
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from linkage.case.base import Model, kebab
from linkage.case.matrix import AXIS_VALUES
from linkage.case.model import CaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def case_schema() -> dict[str, Any]:
    """The schema as plain data."""
    schema = CaseModel.model_json_schema(mode="validation")
    for model in _models(Model):
        if model.shorthand and model.__name__ in schema["$defs"]:
            long_form = schema["$defs"][model.__name__]
            schema["$defs"][model.__name__] = {"anyOf": [long_form, *model.shorthand]}
    _describe(CaseModel, schema["properties"])
    for model in _models(Model):
        found = schema["$defs"].get(model.__name__, {})
        _describe(model, found.get("anyOf", [found])[0].get("properties", {}))
    matrix = schema["$defs"]["Matrix"]
    matrix["additionalProperties"] = {"type": ["array", "string", "integer", "boolean", "null", "object"]}
    matrix["properties"] |= {axis: _axis(values) for axis, values in AXIS_VALUES.items()}
    return {"$schema": _DRAFT, "title": "A linkage case", **{k: v for k, v in schema.items() if k != "title"}}


def _describe(model: type[Model], properties: dict[str, Any]) -> None:
    """Add what stands below each field: pydantic would read the sources for it at every start."""
    for part in reversed(model.__mro__):
        if issubclass(part, Model):
            for field, text in _below_fields(part):
                if kebab(field) in properties:
                    properties[kebab(field)]["description"] = text


def _below_fields(model: type[Model]) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - it is a class's source
    for field, below in itertools.pairwise(definition.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


def _models(model: type[Model]) -> Iterator[type[Model]]:
    for part in model.__subclasses__():
        yield part
        yield from _models(part)


def _axis(values: tuple[object, ...] | None) -> dict[str, Any]:
    if values is None:
        return {"description": "a built-in axis"}
    value: dict[str, Any] = {"enum": [*values, None]}
    return {"anyOf": [value, {"type": "array", "items": value}], "description": "a built-in axis"}


def schema_text() -> str:
    """The schema as it is kept in a file."""
    return json.dumps(case_schema(), indent=1, ensure_ascii=False) + "\n"
