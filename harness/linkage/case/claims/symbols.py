"""Claims about the symbols of an artifact."""

from typing import Literal

from pydantic import StrictBool

from linkage.case.base import Model, Texts
from linkage.case.claims.patterns import Comparison, Pattern, Patterns


class SymbolKind(Model):
    """What the selected symbols are."""

    defined: StrictBool | None = None
    binding: Literal["local", "global", "weak", "unique"] | None = None
    visibility: Literal["default", "internal", "hidden", "protected"] | None = None
    type: Literal["notype", "object", "func", "tls", "ifunc", "common"] | None = None
    absolute: StrictBool | None = None
    size: Comparison | None = None
    """In bytes."""
    section: Pattern | None = None
    version: Pattern | None = None


class Symbols(Model):
    """The general claim about symbols: which are selected, what they are, and how many."""

    names: Patterns
    except_: Patterns = ()
    table: Literal["static", "dynamic"] = "static"
    where: SymbolKind | None = None
    """Select only symbols of this kind."""
    expect: SymbolKind | None = None
    """Every selected symbol is of this kind."""
    count: Comparison | None = None
    """How many are selected; by default at least one."""


class ResolvedClaim(Model):
    """Every undefined symbol that one of `names` selects is defined within the link set."""

    names: Patterns
    link_set: Texts = ()
    """The other artifacts of the link set: roles, files or globs."""
