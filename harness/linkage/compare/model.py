"""What is compared: a variant's steps and artifacts without noise; and changes. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Table = Mapping[str, tuple[str, ...]]
"""The sorted values of each name: a symbol's type, binding, visibility and section, once per symbol."""


@dataclass(frozen=True, slots=True, eq=False)
class CrateTables:
    """The symbols and sections of a linked file, or of an archive's members from one crate."""

    symbols: Table = field(default_factory=dict)
    private: Table = field(default_factory=dict)
    """Local symbols."""
    sections: Table = field(default_factory=dict)
    schemes: frozenset[str] = frozenset()
    """The mangling schemes of its names."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of private symbols, to recognise renamed ones."""


@dataclass(frozen=True, slots=True)
class ComparedMember:
    """An archive's member: its name without noise, its kind, and its symbols."""

    name: str
    kind: str
    crate: str | None = None
    symbols: frozenset[str] = frozenset()
    """The names in its symbol table, except private ones."""
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class ComparedArtifact:
    """An output as it is compared."""

    kind: str
    size: int
    digest: str
    error: str | None = None
    """Why it could not be read; then it is not compared."""
    unread: str | None = None
    """Why not all of it could be read: it is compared by its bytes, too."""
    plain: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exports: Table | None = None
    imports: Table | None = None
    parts: Mapping[str, CrateTables] = field(default_factory=dict)
    """By crate; a linked file has one, without a name."""
    members: tuple[ComparedMember, ...] = ()
    index: frozenset[str] | None = None
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)
    text: str | None = None
    comment: str = ""
    """The content of `.comment`."""


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """What a step did, as it is compared."""

    id: str
    program: str
    """`rustc`, `cc`, `run`, or a file operation."""
    exit: str
    diagnostics: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""
    """Empty for rustc, whose standard error is the diagnostics."""
    native_static_libs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] = ()
    artifacts: Mapping[str, ComparedArtifact] = field(default_factory=dict)
    """By role, or by name if a file has no role."""
    problem: str | None = None
    """Why it tells nothing about the compiler; then the variant is not compared."""


@dataclass(frozen=True, slots=True)
class VariantBuild:
    """A variant as one side built it."""

    steps: tuple[ComparedStep, ...]
    bootstrap: bool = False
    """Whether RUSTC_BOOTSTRAP=1 was set for it."""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference at one place. Two with the same `kind`, `name` and `what` are the same change."""

    kind: str
    name: str
    what: str = ""
    """How it changed, if that is part of the change: `GLOBAL → WEAK`."""
    base: str = field(default="", compare=False)
    head: str = field(default="", compare=False)
    details: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class LocatedChange:
    """A change with its place: the variant, the step, and the output that it is about."""

    variant: str
    step: str
    subject: str
    """A role, a file, or empty for the step itself."""
    change: Change

    @property
    def artifact(self) -> str:
        """The kind of output: `cdylib` for `lib.cdylib`, `step` for the step itself."""
        if not self.subject:
            return "step"
        return self.subject.rpartition(".")[2] if "." in self.subject else self.subject
