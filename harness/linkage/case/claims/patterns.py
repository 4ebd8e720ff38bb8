"""The patterns and comparisons that claims have."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictStr
from pydantic_core import PydanticCustomError

from linkage.case import regular_expression
from linkage.case.base import listed
from linkage.errors import PatternError


def refused(error: PatternError) -> PydanticCustomError:
    """The error of a model for a pattern that cannot be used."""
    return PydanticCustomError("regex", "{what}", {"what": error.what, "help": error.help})


def _compiles(value: str) -> str:
    try:
        regular_expression.check(value)
    except PatternError as error:
        raise refused(error) from None
    return value


def _pattern(value: str) -> str:
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        _compiles(value[1:-1])
    return value


_MOST_DIGITS = 18


def _comparison(value: object) -> object:
    text = str(value)
    found = re.fullmatch(r"(?:==|=|>=|<=|>|<|!=)?\s*([0-9]+)", text)
    if isinstance(value, bool) or not found or len(found[1]) > _MOST_DIGITS:
        help = f"write at most {_MOST_DIGITS} digits" if found else "write `3`, `>=1` or `<100`"
        raise PydanticCustomError("comparison", "`{text}` is not a comparison", {"text": text, "help": help})
    return text


Regex = Annotated[StrictStr, AfterValidator(_compiles)]
Pattern = Annotated[StrictStr, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
Comparison = Annotated[StrictStr, BeforeValidator(_comparison, json_schema_input_type=int | str)]
