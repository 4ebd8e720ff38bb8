"""A build from the lines that `lines.py` wrote. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from linkage.compare.lines import AND, BINDINGS, IN_ORDER, VISIBILITIES, WELL, Head, without_version, words
from linkage.compare.model import Artifact, Built, Member, Part, Step, Table
from linkage.compare.tables import ALL

_TABLES = ("export", "import", "dynamic-export", "dynamic-import", "symbol", "private", "section")


def built_of(found: Mapping[Head, Iterable[str]], sizes: Sequence[tuple[int, str]]) -> Built:
    """The build of which this is said; `sizes`: every output's bytes and digest, in the order of `outputs`.

    Raises ValueError, KeyError or IndexError for what says nothing.
    """
    variant = [words(one) for one in found["variant",]]
    ids = next(one[1:] for one in variant if one[0] == "steps")
    measured = dict(zip(outputs(found, ids), sizes, strict=True))
    steps = []
    for id_ in ids:
        artifacts = {
            head[2]: replace(_read_artifact(frozenset(found[head])), size=size, digest=digest)
            for head, (size, digest) in measured.items()
            if head[1] == id_
        }
        steps.append(_read_step(id_, [words(one) for one in found["step", id_]], artifacts))
    return Built(tuple(steps), ["bootstrap"] in variant)


def outputs(found: Mapping[Head, object], ids: Sequence[str]) -> list[Head]:
    """What is said of outputs, in the order of the steps."""
    heads = [head for head in found if head[0] == "output"]
    return sorted(heads, key=lambda head: (ids.index(head[1]), head[2]))


def _read_step(id_: str, said: Sequence[list[str]], artifacts: Mapping[str, Artifact]) -> Step:
    def those(word: str) -> list[list[str]]:
        return sorted(one[1:] for one in said if one[0] == word)

    def counted(word: str) -> tuple[str, ...]:
        return tuple(text for text, *count in those(word) for _ in range(int(count[0][1:]) if count else 1))

    libraries = those("native-static-libs")
    return Step(
        id_,
        those("runs")[0][0],
        next((text for (text,) in those("ends")), WELL),
        counted("says"),
        "\n".join(text for _, text in those("stdout")),
        "\n".join(text for _, text in those("stderr")),
        tuple(libraries[0]) if libraries else None,
        counted("makes") or tuple(sorted(artifacts)),
        artifacts,
    )


@lru_cache(maxsize=1 << 12)  # many variants make the same
def _read_artifact(said: frozenset[str]) -> Artifact:
    read = _Reading()
    for one in sorted(said):
        read.add(*words(one))
    return read.artifact()


class _Reading:
    """An artifact, as its lines are read."""

    def __init__(self) -> None:
        self.kind = ""
        self.text: str | None = None
        self.plain: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.tables: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
        self.schemes: dict[str, set[str]] = {}
        self.members: list[list[str]] = []
        self.held: dict[str, set[str]] = {}
        self.index: set[str] = set()
        self.references: dict[str, set[str]] = {}

    def add(self, word: str, *rest: str) -> None:
        """A line's words. Raises ValueError for one that is unknown."""
        what, _, crate = word.partition("@")
        if what in _TABLES:
            self._row(what, crate, *rest)
        elif what in IN_ORDER:
            _, value = rest
            self.lists.setdefault(what, []).append(value)
        elif what == "mangling":
            self.schemes.setdefault(crate, set()).add(*rest)
        else:
            self._other(what, *rest)

    def _other(self, word: str, *rest: str) -> None:
        match word:
            case "kind":
                (self.kind,) = rest
            case "text":
                (self.text,) = rest
            case "is":
                name, self.plain[name] = rest
            case "has":
                name, value = rest
                self.lists.setdefault(name, []).append(value)
            case "member":
                self.members.append(list(rest))
            case "holds":
                at, name = rest
                self.held.setdefault(at, set()).add(name)
            case "index":
                self.index.add(*rest)
            case "calls":
                function, *targets = rest
                self.references.setdefault(function, set()).update(targets)
            case _:
                raise ValueError(f"`{word}` says nothing of an output")

    def _row(self, what: str, crate: str, name: str, value: str) -> None:
        values = _apart(value)
        if what != "section" and not name.endswith(ALL):
            usual = "LOCAL" if what == "private" else "GLOBAL"
            values = tuple(_whole(one, usual) for one in values)
        if what in ("export", "import"):
            self._table("symbol", "")[name] = without_version(values)
        self._table(what.removeprefix("dynamic-"), crate)[name] = values

    def _table(self, what: str, crate: str) -> dict[str, tuple[str, ...]]:
        return self.tables.setdefault((what, crate), {})

    def artifact(self) -> Artifact:
        """What was read, without its size and digest."""

        def table(what: str, crate: str = "") -> Table:
            return self.tables.get((what, crate), {})

        crates = {crate for what, crate in self.tables if what in ("symbol", "private", "section")}
        parts = {
            crate: Part(
                table("symbol", crate),
                table("private", crate),
                table("section", crate),
                frozenset(self.schemes.get(crate, ())),
            )
            for crate in sorted(crates | self.schemes.keys())
        }
        return Artifact(
            self.kind,
            0,
            "",
            plain=self.plain,
            lists={name: tuple(values) for name, values in self.lists.items()},
            exports=table("export") or None,
            imports=table("import") or None,
            parts=parts,
            members=tuple(self._member(parts, *one) for one in sorted(self.members)),
            index=frozenset(self.index) if self.plain.get("index") == "yes" else None,
            references={name: frozenset(targets) for name, targets in self.references.items()},
            text=self.text,
        )

    def _member(
        self, parts: Mapping[str, Part], at: str, name: str, kind: str, crate: str, *all_: str
    ) -> Member:
        own = parts[crate].symbols if all_ else {}
        held = self.held.get(at, set()) | {one for one in own if not one.endswith(ALL)}
        return Member(name, kind, crate or None, frozenset(held))


def _whole(value: str, usual: str) -> str:
    kind, _, rest = value.partition(" ")
    said = []
    for known, default in ((BINDINGS, usual), (VISIBILITIES, "DEFAULT")):
        first, _, after = rest.partition(" ")
        is_said = first in known or (known is BINDINGS and first.isdecimal())
        said.append(first if is_said else default)
        rest = after if is_said else rest
    return " ".join((kind, *said, rest))


def _apart(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for one in text.split(AND):
        value, _, count = one.rpartition(" *")
        found += [value] * int(count) if value and count.isdecimal() else [one]
    return tuple(found)
