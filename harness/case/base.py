"""What every part of a case's model shares: strictness, kebab-case keys, unknown keys refused."""

import difflib
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

Scalar = StrictBool | StrictInt | StrictStr


def kebab(name: str) -> str:
    """A field's key in YAML: `prefer_dynamic` is written `prefer-dynamic`, `id_` is `id`."""
    return name.strip("_").replace("_", "-")


class Model(BaseModel):
    """A frozen part of a case; its YAML keys are its fields' names in kebab-case."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        populate_by_name=False,
        strict=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
        if cls.model_config.get("extra") != "forbid" or not isinstance(data, dict):
            return data
        known = keys(cls)
        unknown = [key for key in data if key not in known]
        if unknown:
            raise PydanticCustomError(
                "unknown_keys", "unknown keys", {"unknown": unknown, "known": sorted(known)}
            )
        return data


def keys(model: type[BaseModel]) -> set[str]:
    """The keys that a model has in YAML."""
    return {info.alias or name for name, info in model.model_fields.items()}


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that a misspelt one most likely means, if any is near."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def _to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _to_texts(value: object) -> object:
    if isinstance(value, list):
        return tuple(
            str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in value
        )
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return (str(value),)
    return value


def _relative(value: str) -> str:
    """A path inside the case's folder or its working folder; nothing outside may be named."""
    if value.startswith("/") or ".." in value.split("/") or "\0" in value:
        raise PydanticCustomError(
            "outside",
            "`{path}` leads outside the case's folder",
            {"path": value, "mend": "keep the file beside the case"},
        )
    return value


Texts = Annotated[
    tuple[StrictStr, ...], BeforeValidator(_to_texts, json_schema_input_type=str | int | list[str | int])
]
"""One text or a list of them."""

RelativePath = Annotated[StrictStr, AfterValidator(_relative)]
Paths = Annotated[
    tuple[RelativePath, ...], BeforeValidator(_to_texts, json_schema_input_type=str | list[str])
]
"""One path or a list of them; globs are allowed where the documentation says so."""

Environment = Annotated[
    dict[StrictStr, StrictStr],
    BeforeValidator(
        lambda value: (
            {k: str(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in value.items()}
            if isinstance(value, dict)
            else value
        ),
        json_schema_input_type=dict[str, str | int],
    ),
]


def listed(value: object) -> object:
    """A before-validator: one thing where a list of them is expected is a list of one."""
    if value is None:
        return ()
    return _to_tuple(value) if isinstance(value, list) else (value,)
