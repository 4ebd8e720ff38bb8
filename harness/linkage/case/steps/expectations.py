"""What a step that starts a process is expected to do, in the keys of the step."""

import signal
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model, listed
from linkage.case.claims import DiagnosticClaim, LinkClaim, Names, Text

EXIT_WORDS = ("fails", "fails-or-crashes", "ice", "any")
"""How a process may end, other than by a status or a signal."""
_LISTED_WORDS = ", ".join(f"`{word}`" for word in EXIT_WORDS)

MOST_STATUS = 255


def _exit(value: object) -> object:
    allowed = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_STATUS
    named = isinstance(value, str) and (value in EXIT_WORDS or value in signal.Signals.__members__)
    if not (allowed or named):
        raise PydanticCustomError(
            "exit",
            "`{value}` is not an exit status",
            {
                "value": value,
                "help": f"write 0 to {MOST_STATUS}, {_LISTED_WORDS}, or a signal such as `SIGABRT`",
            },
        )
    return value


Exit = Annotated[int | str, BeforeValidator(_exit, json_schema_input_type=int | str)]


class ProcessExpectations(Model):
    """What a step that starts a process is expected to do."""

    exit: Exit = 0
    """`fails` is any non-zero status but a compiler's crash; `ice` is rustc's internal error;
    `fails-or-crashes` is both, or a signal."""
    stdout: Text | None = None
    stderr: Text | None = None
    produces: Names | None = None
    """Files that the step makes or changes, as paths relative to the working folder."""


class RustcExpectations(Model):
    """What rustc is expected to do, too."""

    diagnostics: DiagnosticClaim | None = None
    native_static_libs: Names | None = None
    """What `--print native-static-libs` reports."""
    link: Annotated[
        tuple[LinkClaim, ...], BeforeValidator(listed, json_schema_input_type=LinkClaim | list[LinkClaim])
    ] = ()
    """What rustc asked of the linker."""


EXPECTATIONS = (*ProcessExpectations.model_fields, *RustcExpectations.model_fields)
