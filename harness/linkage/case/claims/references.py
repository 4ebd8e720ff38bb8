"""Claims that compare an artifact with another one."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, listed
from linkage.case.claims.patterns import Patterns


class ArtifactReference(Model):
    """Another artifact: of this variant, or of a sibling that differs in the axes given."""

    artifact: StrictStr | None = None
    """Its role or file; without it the same one as the claim's."""
    variant: dict[StrictStr, Any] = {}
    """The axes in which the other variant differs, with its values there."""
    compare: Literal["bytes", "text", "symbols", "exports", "size"] = "bytes"
    shorthand = ({"type": "string"},)

    @model_validator(mode="after")
    def _is_another(self) -> "ArtifactReference":
        if self.artifact is None and not self.variant:
            raise PydanticCustomError(
                "itself",
                "this compares the artifact with itself",
                {"help": "name another `artifact`, or a `variant` that differs in at least one axis"},
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _text_means_artifact(cls, data: Any) -> Any:  # noqa: ANN401
        return {"artifact": data} if isinstance(data, str) else data


class ExportsDiffer(ArtifactReference):
    """The exports differ from the other artifact's by exactly these names."""

    added: Patterns = ()
    removed: Patterns = ()


ArtifactReferences = Annotated[
    tuple[ArtifactReference, ...],
    BeforeValidator(listed, json_schema_input_type=ArtifactReference | str | list[ArtifactReference | str]),
]
