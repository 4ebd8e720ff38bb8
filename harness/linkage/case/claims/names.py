"""Claims about a set of names."""

from typing import Any, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from linkage.case.base import Model
from linkage.case.claims.patterns import Comparison, Pattern, Patterns


class Names(Model):
    r"""A claim about a set of names. A plain list in its place means `all`.

    A name is exact (`foo`), a glob (`foo_*`), a regex (`/^foo_\d+$/`), a demangled path with
    globs (`path:alloc::*`) or a symbol group (`${allocator-shim}`). With an `@`, a symbol's version is part
    of its name: `foo@@V2` if the version is the default one, else `foo@V2`; without, any version matches.
    """

    all: Patterns = ()
    """Each of these is found at least once."""
    any: Patterns = ()
    """At least one of these is found."""
    none: Patterns = ()
    """Not one of these is found."""
    only: Patterns | None = None
    """Every name is one of these, and each of these is found; an empty list: no names at all."""
    within: Patterns = ()
    """The claim is about these names only."""
    except_: Patterns = ()
    """The claim is about all names but these."""
    count: Comparison | None = None
    """How many names there are, after `within` and `except`."""
    order: Patterns = ()
    """These are found in this order."""
    shorthand = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})

    @model_validator(mode="before")
    @classmethod
    def _list_means_all(cls, data: Any) -> Any:  # noqa: ANN401
        if data == "none":
            return {"only": []}
        return {"all": data} if isinstance(data, (str, list)) else data

    @property
    def says_something(self) -> bool:
        """Whether it is a claim at all."""
        return self.about_names

    @property
    def about_names(self) -> bool:
        """Whether it claims something of the names."""
        return bool(self.all or self.any or self.none or self.order or self.only is not None or self.count)

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.says_something:
            raise PydanticCustomError(
                "says_nothing",
                "this claim is empty",
                {"help": "add `all`, `any`, `none`, `only`, `count` or `order`, or write `none`"},
            )
        return self

    @property
    def requires(self) -> bool:
        """Whether it says what is found, and not only what is not."""
        return bool(self.all or self.any or self.order or self.only is not None or self.count)


class LoaderNames(Names):
    """A claim about what the loader brings, and about what of it may be missing."""

    optional: Names | None = None
    """Those without which the file is loaded all the same: weak, or looked up at their first use."""

    @property
    def says_something(self) -> bool:
        return self.about_names or self.optional is not None


class SymbolVersions(Names):
    """A claim about versions, and about the symbols that carry them."""

    symbols: dict[Pattern, Names] = {}
    """The dynamic symbols that carry each of these versions, as `V2` or `GLIBC_2.*`."""

    @property
    def says_something(self) -> bool:
        return self.about_names or bool(self.symbols)
