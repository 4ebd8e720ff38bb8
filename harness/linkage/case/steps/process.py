"""What all steps that start a process share."""

from typing import ClassVar, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Environment, RelativePath
from linkage.case.steps.expectations import ProcessExpectations
from linkage.case.steps.step import Step, ToolchainChoice


class ProcessStep(Step, ProcessExpectations):
    """What all steps that start a process share."""

    reports_libraries: ClassVar[bool] = False
    """Whether it can be asked which native libraries a staticlib needs."""

    env: Environment = {}
    stdin: StrictStr | None = None
    cwd: RelativePath | None = None
    """Relative to the variant's working folder."""
    capture: Literal["stdout", "stderr", "native-static-libs"] | None = None
    """Keep this stream, stripped, for later steps: `${captured.ID}`; or, as the words of an argument that
    is this alone, what `--print native-static-libs` reported."""
    timeout: StrictInt | None = Field(default=None, ge=1, le=3600)
    """In seconds."""
    toolchain: ToolchainChoice = None
    """`other`: with another toolchain of the run than the variant's."""

    @model_validator(mode="after")
    def _captures_what_there_is(self) -> "ProcessStep":
        if self.capture == "native-static-libs" and not self.reports_libraries:
            raise PydanticCustomError("capture", "only a rustc step can capture `native-static-libs`", {})
        return self
