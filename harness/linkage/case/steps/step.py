"""What all steps share."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, BeforeValidator, StrictStr
from pydantic_core import PydanticCustomError

from linkage.case.base import Model
from linkage.case.claims import ClaimMap
from linkage.case.condition import Condition
from linkage.case.document import KeyPath

_LONGEST_ID = 200


def _id(value: str) -> str:
    """An id: it becomes a part of file names and of messages."""
    if (
        not value.isprintable()
        or "/" in value
        or value in ("", ".", "..")
        or len(value.encode()) > _LONGEST_ID
    ):
        raise PydanticCustomError(
            "id",
            "`{id}` cannot be an id",
            {"id": value, "help": f"write at most {_LONGEST_ID} printable characters without `/`"},
        )
    return value


OTHER = "other"
"""As a step's toolchain: another one of the run than the variant's."""


def _toolchain(value: object) -> object:
    if value is None or value == OTHER or (isinstance(value, str) and value.startswith("${")):
        return value
    help = (
        "write `toolchain: other`: the run says which one it is, or the axis `other-toolchain` of the matrix"
    )
    raise PydanticCustomError(
        "toolchain", "a step's toolchain is `other`, not `{value}`", {"value": value, "help": help}
    )


ToolchainChoice = Annotated[StrictStr | None, BeforeValidator(_toolchain)]
"""Which toolchain runs a step: `other`, or by default the variant's."""


class RoleReference(NamedTuple):
    """A text that may be a role; an optional one need not exist in every variant."""

    text: str
    path: KeyPath
    """Where in the step it is."""
    optional: bool = False


def each(texts: Iterable[str], key: str) -> Iterator[RoleReference]:
    """The texts of a list, each of which may be a role."""
    return (RoleReference(text, (key, index)) for index, text in enumerate(texts))


class StepNames(NamedTuple):
    """What the files of a step are named after, in one variant."""

    id: str
    roles: tuple[str, ...] = ()
    """The roles of what it makes, without the id."""
    crate: str | None = None
    """The crate's name, if the case or the source gives one."""


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What a step does to the files of the working folder, as far as a case tells without a toolchain."""

    written: tuple[str, ...] = ()
    """Files that it writes. Two steps that write one file on GNU/Linux do so elsewhere: the names there."""
    named_in: tuple[str, ...] = ()
    """Texts in which more files that it writes may be named, such as `-o FILE` among flags."""
    any_file: bool = False
    """Whether it may write any file."""
    kept: tuple[str, ...] | None = None
    """Patterns of the earlier files that stay; None if all do."""


class Step(Model):
    """What all steps share, and what each kind of step knows of itself."""

    action: ClassVar[str] = ""
    """The key that names the kind in a case; empty for what is not a kind."""

    id_: Annotated[StrictStr, AfterValidator(_id)] | None = None
    """The name by which other steps and claims refer to it; by default the source's stem."""
    when: Condition | None = None
    """Only the variants that this selects have the step."""
    claims: ClaimMap = {}
    """Claims about artifacts as they are right after this step."""

    @property
    def by_other(self) -> bool:
        """Whether another toolchain of the run is used for it than the variant's."""
        return getattr(self, "toolchain", None) == OTHER

    def default_id(self, crate: str | None) -> str:
        """Its id if the case gives none; `crate` is the crate's name as its source says."""
        _ = crate
        return self.action

    def may_be_roles(self) -> Iterator[RoleReference]:
        """Everything in it that may be a role, but for its claims."""
        return iter(())

    def made_roles(self, crate_types: tuple[str, ...]) -> tuple[str, ...]:
        """The roles of what it makes, without the id; `crate_types` of a rustc step."""
        _ = crate_types
        return ()

    @abstractmethod
    def file_changes(self, names: StepNames, /) -> FileChanges:
        """What it does to files in the variant that has these names."""

    def sources(self) -> Iterator[tuple[str, KeyPath]]:
        """The source files that it names and that an earlier step may make, each with its place."""
        return iter(())
