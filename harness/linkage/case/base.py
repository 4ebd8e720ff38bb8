"""What all parts of a case's model share: strict types, kebab-case keys, errors for unknown keys."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticKnownError

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
    )

    shorthand: ClassVar[tuple[JsonSchemaValue, ...]] = ()
    """The short forms that are accepted in its place, as JSON Schema, so that editors accept them too."""

    @model_validator(mode="wrap")
    @classmethod
    def _known_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        # Pydantic's own error does not name the known keys. All other errors are reported as well.
        known = keys(cls)
        unknown = [key for key in data if key not in known] if isinstance(data, dict) else []
        if not unknown or cls.model_config.get("extra") != "forbid":
            return handler(data)
        details = [
            InitErrorDetails(
                type=PydanticCustomError(
                    "unknown_key", "unknown key `{key}`", {"key": key, "help": suggest(key, sorted(known))}
                ),
                loc=(key,),
                input=data[key],
            )
            for key in unknown
        ]
        try:
            handler({key: value for key, value in data.items() if key in known})
        except ValidationError as error:
            details += [_again(detail) for detail in error.errors(include_url=False)]
        raise ValidationError.from_exception_data(cls.__name__, details)


def _again(detail: ErrorDetails) -> InitErrorDetails:
    context = detail.get("ctx") or {}
    try:
        PydanticKnownError(detail["type"], context)  # type: ignore[arg-type]
    except KeyError:
        own = PydanticCustomError(detail["type"], detail["msg"], context)
        return InitErrorDetails(type=own, loc=detail["loc"], input=detail["input"])
    return InitErrorDetails(type=detail["type"], loc=detail["loc"], input=detail["input"], ctx=context)


_MEANT = {
    "about": "description", "are": "expect", "at": "offset", "backend": "codegen-backend", "fresh": "clean",
    "keep": "capture", "kind": "format", "lacks": "not-contains", "libraries": "library-path",
    "links": "link-with", "makes": "produces", "of": "output", "profiler": "profiler-runtime",
    "refers": "references", "search": "search-paths", "time-limit": "timeout", "timeout-minutes": "timeout",
    "together": "parallel",
    "under": "runner", "what": "compare", "within": "link-set",
}  # fmt: skip
"""Other words that an author may use for a key."""


def suggest(word: str, known: Sequence[str], otherwise: str = "expected one of {}") -> str:
    """The help for an unknown word: the nearest known one, or a list of all."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else otherwise.format(", ".join(known) or "none")


def keys(model: type[BaseModel]) -> set[str]:
    """The keys that a model has in YAML."""
    return {info.alias or name for name, info in model.model_fields.items()}


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that a misspelt one most likely means, if there is one."""
    if _MEANT.get(word) in known:
        return _MEANT[word]
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
    """A path inside the case's folder or the working folder; raises for one outside."""
    if not value:
        raise PydanticCustomError(
            "empty_path", "a path must not be empty", {"help": "write `.` for the folder itself"}
        )
    if value.startswith("/") or ".." in value.split("/"):
        raise PydanticCustomError(
            "outside",
            "`{path}` is outside the case's folder",
            {"path": value, "help": "move the file into the case's folder"},
        )
    return _file_name(value)


NUL = "\0"
_LONGEST_NAME = 255
_LONGEST_PATH = 3000
"""Bytes; a path may have 4096 on Linux, and the working folder is before it."""
LONGEST_ARGUMENT = (128 << 10) - 1
"""Bytes: Linux's MAX_ARG_STRLEN, execve(2)."""


def _file_name(value: str) -> str:
    """A path that a system can have; raises for another. A variable in it may have any length."""
    if NUL in value:
        raise PydanticCustomError(
            "nul", "a file name must not contain a NUL character", {"help": "remove the \\0"}
        )
    name = max((len(part.encode()) for part in value.split("/") if "${" not in part), default=0)
    if name > _LONGEST_NAME or len(value.encode()) > _LONGEST_PATH:
        what = "a file name of {length} bytes is longer than {most}"
        length, most = (name, _LONGEST_NAME) if name > _LONGEST_NAME else (len(value.encode()), _LONGEST_PATH)
        raise PydanticCustomError("long", what, {"length": length, "most": most, "help": "shorten it"})
    return value


def _argument(value: str) -> str:
    """A text that can be an argument of a process; raises for another."""
    if NUL in value:
        raise PydanticCustomError(
            "nul",
            "an argument or environment variable must not contain a NUL character",
            {"help": "put the text into a file"},
        )
    length = len(value.encode())
    if length > LONGEST_ARGUMENT:
        raise PydanticCustomError(
            "long",
            "an argument or environment variable of {length} bytes is longer than {most}",
            {"length": length, "most": LONGEST_ARGUMENT, "help": "put the text into a file"},
        )
    return value


def _variable(name: str) -> str:
    if not name or "=" in name or NUL in name:
        raise PydanticCustomError(
            "variable",
            "`{name}` is not the name of an environment variable",
            {"name": name, "help": "a name is not empty and has no `=` and no NUL character"},
        )
    return _argument(name)


Texts = Annotated[
    tuple[StrictStr, ...], BeforeValidator(_to_texts, json_schema_input_type=str | int | list[str | int])
]
"""One text or a list of them."""

FileName = Annotated[StrictStr, AfterValidator(_file_name)]
"""A path, a glob, a role or an id."""

FileNames = Annotated[
    tuple[FileName, ...], BeforeValidator(_to_texts, json_schema_input_type=str | int | list[str | int])
]

Argument = Annotated[StrictStr, AfterValidator(_argument)]

Arguments = Annotated[
    tuple[Argument, ...], BeforeValidator(_to_texts, json_schema_input_type=str | int | list[str | int])
]
"""One argument of a process, or a list of them."""

RelativePath = Annotated[StrictStr, AfterValidator(_relative)]
"""A path below the case's folder or its working folder."""

Paths = Annotated[
    tuple[RelativePath, ...], BeforeValidator(_to_texts, json_schema_input_type=str | list[str])
]
"""One path or a list of them; globs are allowed where the documentation says so."""

Environment = Annotated[
    dict[Annotated[StrictStr, AfterValidator(_variable)], Argument],
    BeforeValidator(
        lambda value: (
            {k: str(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in value.items()}
            if isinstance(value, dict)
            else value
        ),
        json_schema_input_type=dict[str, str | int],
    ),
]


def _mode(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not (isinstance(text, str) and re.fullmatch(r"[0-7]{3,4}", text)):
        help = "write octal digits, such as `755`"
        raise PydanticCustomError("mode", "`{value}` is not a file mode", {"value": value, "help": help})
    return text


Mode = Annotated[str, BeforeValidator(_mode, json_schema_input_type=int | str)]
"""Permission bits in octal digits."""


def listed(value: object) -> object:
    """A before-validator: a value that is not a list becomes a list of one."""
    if value is None:
        return ()
    return _to_tuple(value) if isinstance(value, list) else (value,)
