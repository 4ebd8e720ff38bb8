"""What is compared: a variant's steps and artifacts without noise; and a change. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Table = Mapping[str, tuple[str, ...]]
"""What stands under each name, sorted, as often as it does: a symbol's type, binding, visibility, place."""


@dataclass(frozen=True, slots=True, eq=False)
class CrateTables:
    """The symbols and sections of a linked file, or of an archive's members from one crate."""

    symbols: Table = field(default_factory=dict)
    private: Table = field(default_factory=dict)
    """Local symbols."""
    sections: Table = field(default_factory=dict)
    schemes: frozenset[str] = frozenset()
    """How names in it are mangled."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of private symbols, by which a renamed one is known again."""


@dataclass(frozen=True, slots=True)
class ComparedMember:
    """An archive's member: its name without noise, what it is, and what tells it from others of its name."""

    name: str
    kind: str
    crate: str | None = None
    symbols: frozenset[str] = frozenset()
    """The names in its symbol table, the private ones left out."""
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class ComparedArtifact:
    """An output as it is compared."""

    kind: str
    size: int
    digest: str
    error: str | None = None
    """Why it could not be read: then nothing of it is compared."""
    plain: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exports: Table | None = None
    imports: Table | None = None
    parts: Mapping[str, CrateTables] = field(default_factory=dict)
    """By crate; of a linked file one, without a name."""
    members: tuple[ComparedMember, ...] = ()
    index: frozenset[str] | None = None
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)
    text: str | None = None
    comment: str = ""
    """What linker and compilers left in `.comment`."""


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """What a step did, as it is compared."""

    id: str
    program: str
    """What was started: `rustc`, `cc`, `run`; of a file operation, what it is."""
    ended: str
    diagnostics: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""
    """Of what is no compiler of Rust: rustc's are its diagnostics."""
    native_static_libs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] = ()
    artifacts: Mapping[str, ComparedArtifact] = field(default_factory=dict)
    """By role, or by name where a file has none."""
    problem: str | None = None
    """Why it says nothing about the compiler: then the variant is not compared."""


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
    """How it changed, where that is part of what the change is: `GLOBAL → WEAK`."""
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
        """What kind of output it is about: `cdylib` of `lib.cdylib`; the step itself: `step`."""
        if not self.subject:
            return "step"
        return self.subject.rpartition(".")[2] if "." in self.subject else self.subject
