"""Claims about texts: a stream, or the content of a file."""

from typing import Annotated, Any

from pydantic import BeforeValidator, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case import regular_expression
from linkage.case.base import Model, RelativePath, Texts, listed
from linkage.case.claims.patterns import Comparison, Regex, refused
from linkage.errors import PatternError


class Number(Model):
    """A number in a text, itself or as a percentage of the one in another text."""

    matches: Regex
    """Finds the number: the only group of the first match; commas between digits are ignored."""
    is_: Comparison
    percent_of: StrictStr | None = None
    """The other text (`${captured.ID}`), in which the same regex finds the number that means 100 %."""

    @model_validator(mode="after")
    def _has_one_group(self) -> "Number":
        if regular_expression.groups(self.matches) != 1:
            raise PydanticCustomError(
                "groups",
                "`{regex}` must have exactly one group",
                {"regex": self.matches, "help": "put the digits, and nothing else, in parentheses"},
            )
        return self


class Text(Model):
    """A claim about a text. A plain text in its place means `equals`."""

    equals: StrictStr | None = None
    contains: Texts = ()
    not_contains: Texts = ()
    matches: Annotated[
        tuple[Regex, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])
    ] = ()
    order: Texts = ()
    """The text contains these in this order."""
    file: RelativePath | None = None
    """Equals this file's text, beside the case."""
    same_as: StrictStr | None = None
    """Equals the same stream of an earlier step to the last byte, by its id; `ID.stderr` names another."""
    lines: Comparison | None = None
    number: Number | None = None
    empty: StrictBool | None = None
    normalize: dict[Regex, StrictStr] = {}
    """Regexes and their replacements, applied before the comparison."""
    shorthand = ({"type": "string"},)

    def stream(self, own: str) -> str:
        """What `same-as` names in a claim about the stream `own`, as `ID.stdout` or `ID.stderr`."""
        name = self.same_as or ""
        return name if name.endswith((".stdout", ".stderr")) else f"{name}.{own}"

    @model_validator(mode="after")
    def _replacements_fit(self) -> "Text":
        for pattern, replacement in self.normalize.items():
            try:
                regular_expression.check_replacement(pattern, replacement)
            except PatternError as error:
                raise refused(error) from None
        return self

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Text":
        if self.model_fields_set <= {"normalize"}:
            raise PydanticCustomError(
                "says_nothing",
                "this claim is empty",
                {
                    "help": "add `equals`, `contains`, `not-contains`, `matches`, `order`, `file`, `lines`, "
                    "`number`, `empty`, `same-as`"
                },
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _text_means_equals(cls, data: Any) -> Any:  # noqa: ANN401
        return {"equals": data} if isinstance(data, str) else data


class Content(Model):
    """Texts anywhere in the bytes of a file of any format."""

    contains: Texts = ()
    not_contains: Texts = ()

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Content":
        if not (self.contains or self.not_contains):
            raise PydanticCustomError(
                "says_nothing", "this claim is empty", {"help": "add `contains` or `not-contains`"}
            )
        return self
