"""The checks that need the whole case: nothing unused, nothing that selects nothing, nothing outside.

Pure but for one look at which sources exist beside the case.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from harness.case import claims, matrix, resolve, steps
from harness.case.base import nearest
from harness.case.condition import Condition
from harness.case.document import Document, Path
from harness.case.groups import GROUP_NAMES
from harness.case.mentions import Mention, is_role, mentions
from harness.case.model import CaseModel
from harness.case.variables import LATER, references
from harness.errors import CaseError
from harness.toolchain.version import VersionRange

if TYPE_CHECKING:
    from harness.case.read import Case


@dataclass(slots=True)
class _Seen:
    """What the cells of the matrix have shown so far."""

    rows: list[dict[str, Any]]
    used: set[str] = field(default_factory=set)
    ran: set[Path] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    mentioned: list[tuple[Mention, frozenset[str], str]] = field(default_factory=list)
    errors: dict[tuple[str, str], CaseError] = field(default_factory=dict)

    def add(self, error: CaseError) -> None:
        self.errors.setdefault((str(error.where), error.what), error)


def check(case: "Case") -> list[CaseError]:
    """All that is wrong with a case that has the right shape."""
    model, doc = case.model, case.document
    errors = [*_axes(model, doc), *_ranges(model, doc), *_sources(model, doc, case.folder)]
    if errors:
        return errors
    rows = list(case.rows)
    if not rows:
        return [
            CaseError(
                "the matrix is empty", where=doc.key(("matrix",)), mend="an exclude may remove every cell"
            )
        ]
    seen = _Seen(rows)
    for row, name in zip(rows, case.ids, strict=True):
        _look_at(row, name, model, doc, seen)
    if seen.errors:
        return list(seen.errors.values())
    return [
        *_never(model, doc, seen),
        *_conditions(model, doc, rows),
        *_unused(model, doc, seen),
        *_excludes(model, doc),
        *_bugs(model, doc, seen),
    ]


def _axes(model: CaseModel, doc: Document) -> Iterator[CaseError]:
    for axis, values in model.matrix.axes.items():
        where = doc.key(("matrix", axis))
        if axis in GROUP_NAMES or axis in LATER:
            yield CaseError(
                f"the axis `{axis}` has the name of a variable", where=where, mend="choose another name"
            )
        if not values:
            yield CaseError(f"the axis `{axis}` has no values", where=where, mend="give it one, or remove it")
        for index, value in enumerate(values):
            yield from _axis_value(axis, value, doc, ("matrix", axis, index))
    for part in ("rows", "include"):
        for index, row in enumerate(getattr(model.matrix, part)):
            for axis, value in row.items():
                yield from _axis_value(axis, value, doc, ("matrix", part, index, axis))


def _axis_value(axis: str, value: object, doc: Document, path: Path) -> Iterator[CaseError]:
    where = doc.value(path)
    if isinstance(value, dict) and not isinstance(value.get("name"), str):
        yield CaseError(
            "an axis's value that is a mapping needs a `name`", where=where, mend="the id is made from it"
        )
    allowed = matrix.AXIS_VALUES.get(axis)
    if allowed is not None and not any(type(value) is type(one) and value == one for one in (*allowed, None)):
        listed = ", ".join(matrix_text(one) for one in allowed)
        yield CaseError(
            f"`{matrix_text(value)}` is no value of `{axis}`",
            where=where,
            mend=f"it takes {listed}, or null for no flag",
        )
    if axis == "crate-type":
        known = [kind.value for kind in steps.CrateType]
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one not in known:
                near = nearest(str(one), known)
                mend = f"did you mean `{near}`?" if near else f"rustc has {', '.join(known)}"
                yield CaseError(f"`{one}` is no crate type", where=where, mend=mend)


def matrix_text(value: object) -> str:
    """An axis's value as YAML spells it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _ranges(model: CaseModel, doc: Document) -> Iterator[CaseError]:
    found: list[tuple[str | None, Path]] = [(model.toolchains, ("toolchains",))]
    found += [(one.toolchain, ("requires", i, "toolchain")) for i, one in enumerate(model.requires)]
    found += [(one.toolchains, ("known-bugs", i, "toolchains")) for i, one in enumerate(model.known_bugs)]
    for text, path in found:
        if text is not None:
            try:
                VersionRange.parse(text)
            except ValueError as error:
                yield CaseError(str(error), where=doc.value(path), mend="write it as `>=1.87, <1.91`")


def _sources(model: CaseModel, doc: Document, folder: FilePath) -> Iterator[CaseError]:
    for name, path in source_files(model):
        if name in model.sources or "${" in name:
            continue
        file = folder / name
        where = doc.value(path)
        if not file.resolve().is_relative_to(folder.resolve()):
            yield CaseError(
                f"`{name}` leads outside the case's folder", where=where, mend="keep the file beside the case"
            )
        elif not file.exists() and not _is_made(name, model):
            here = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
            near = nearest(name, [*here, *model.sources])
            mend = f"did you mean `{near}`?" if near else "put it beside the case, or under `sources`"
            yield CaseError(f"there is no source `{name}`", where=where, mend=mend)


def source_files(model: CaseModel) -> Iterator[tuple[str, Path]]:
    """Every source beside the case that the steps name, and where."""
    for index, name in enumerate(model.files):
        yield name, ("files", index)
    for step, path in every_step(model.steps, ("steps",)):
        if isinstance(step, steps.RustcStep) and step.rustc is not None:
            yield step.rustc, (*path, "rustc")
        if isinstance(step, steps.CxxStep):
            yield from ((name, (*path, "cxx", i)) for i, name in enumerate(step.cxx))
        elif isinstance(step, steps.CcStep):
            yield from ((name, (*path, "cc", i)) for i, name in enumerate(step.cc))
        if isinstance(step, steps.ProcessStep):
            for stream in ("stdout", "stderr"):
                text = getattr(step, stream)
                if text is not None and text.file is not None:
                    yield text.file, (*path, stream, "file")


def _is_made(name: str, model: CaseModel) -> bool:
    # A source may be written, renamed, copied or emitted by an earlier step.
    made: set[str] = set()
    for step, _ in every_step(model.steps, ()):
        if isinstance(step, steps.WriteStep):
            made.add(step.write)
        if isinstance(step, (steps.RenameStep, steps.CopyStep, steps.SymlinkStep)):
            made.update((step.to, getattr(step, "symlink", "")))
        if isinstance(step, (steps.RustcStep, steps.ToolStep)):
            made.update(("",))
    return name in made or not name.endswith((".rs", ".c", ".cpp", ".cc", ".h"))


def every_step(listed: Iterable[steps.Step], base: Path) -> Iterator[tuple[steps.Step, Path]]:
    """Every step at any depth, with its path."""
    for index, step in enumerate(listed):
        path = (*base, index)
        yield step, path
        if isinstance(step, steps.TogetherStep):
            yield from every_step(step.together, (*path, "together"))


def _look_at(row: dict[str, Any], name: str, model: CaseModel, doc: Document, seen: _Seen) -> None:
    tracked = resolve.Row(row, seen.used)
    try:
        resolved = resolve.resolve(doc, model.steps, tracked)
    except CaseError as error:
        seen.add(error)
        return
    ids: set[str] = set()
    roles: set[str] = set()
    no_link: set[str] = set()
    for step in flat(resolved):
        seen.ran.add(step.path)
        seen.used.update(step.axes)
        if isinstance(step.step, steps.RustcStep) and (
            step.step.axes is None or "allocator" in step.step.axes
        ):
            seen.used.add("allocator")
        if step.id in ids:
            seen.add(
                CaseError(
                    f"a second step is named `{step.id}`",
                    where=doc.key(step.path),
                    mend="give one of them an `id`",
                )
            )
        ids.add(step.id)
        made = {f"{step.id}.{kind}" for kind in step.roles}
        _references(step, ids, roles | made, name, doc, seen)
        if isinstance(step.step, steps.LinkOnlyStep) and step.step.link_only not in no_link:
            where = doc.value((*step.path, "link-only"))
            seen.add(
                CaseError(f"`{step.step.link_only}` is no earlier step with `no-link: true`", where=where)
            )
        if isinstance(step.step, steps.RustcStep) and step.step.no_link:
            no_link.add(step.id)
        roles |= made
    for step in resolved:
        for clash in _clashes(step):
            seen.add(
                CaseError(
                    f"two steps at the same time make {clash}",
                    where=doc.key(step.path),
                    mend="give one a name of its own",
                )
            )
    for subject in model.claims:
        seen.mentioned.append((Mention(subject, ("claims", subject), optional=True), frozenset(roles), name))
    seen.ids |= ids
    seen.roles |= roles


def flat(resolved: Iterable[resolve.Resolved]) -> Iterator[resolve.Resolved]:
    """Every step of a variant, those that run together too."""
    for step in resolved:
        yield step
        yield from flat(step.together)


def _references(
    step: resolve.Resolved, ids: set[str], roles: set[str], variant: str, doc: Document, seen: _Seen
) -> None:
    for mention in mentions(step.step):
        if not is_role(mention.text, ids | seen.ids):
            continue
        if mention.optional:
            seen.mentioned.append(
                (Mention(mention.text, (*step.path, *mention.path), optional=True), frozenset(roles), variant)
            )
        elif mention.text not in roles:
            owner = mention.text.rpartition(".")[0]
            made = sorted(role for role in roles if role.startswith(f"{owner}."))
            where = doc.value((*step.path, *mention.path))
            what = f"`{mention.text}` is made by no earlier step in the variant [{variant}]"
            mend = (
                f"`{owner}` makes {', '.join(made)} there; a `when` can limit this step"
                if made
                else "there is no such step before this one"
            )
            seen.add(CaseError(what, where=where, mend=mend))


def _clashes(step: resolve.Resolved) -> Iterator[str]:
    seen: dict[str, str] = {}
    for part in flat(step.together):
        for kind in part.roles:
            output = getattr(part.step, "output", None) or ""
            folder = getattr(part.step, "out_dir", None) or ""
            name = resolve.crate_name(part.step) if isinstance(part.step, steps.RustcStep) else part.id
            key = output or f"{folder}/{name}.{kind}"
            if key in seen:
                yield f"`{output or f'{name}.{kind}'}`"
            seen[key] = part.id


def _never(model: CaseModel, doc: Document, seen: _Seen) -> Iterator[CaseError]:
    for step, path in every_step(model.steps, ("steps",)):
        if path not in seen.ran and not isinstance(step, steps.TogetherStep):
            yield CaseError(
                "this step is part of no variant",
                where=doc.key(path),
                mend="its `when` holds in no cell of the matrix",
            )
    selected: dict[Path, bool] = {}
    for mention, roles, _ in seen.mentioned:
        hit = mention.text in roles or not is_role(mention.text, seen.ids)
        selected[mention.path] = selected.get(mention.path, False) or hit
    for path, hit in selected.items():
        if not hit:
            near = nearest(str(path[-1]), sorted(seen.roles))
            mend = (
                f"did you mean `{near}`?"
                if near
                else f"the steps make {', '.join(sorted(seen.roles)) or 'nothing'}"
            )
            yield CaseError(
                f"`{path[-1]}` is made in no variant: this claim selects nothing",
                where=doc.key(path),
                mend=mend,
            )


def _conditions(model: CaseModel, doc: Document, rows: list[dict[str, Any]]) -> Iterator[CaseError]:
    known = sorted(set().union(*rows))
    for condition, path, must_hold in _every_condition(model):
        unknown = sorted(condition.names() - set(known))
        for axis in unknown:
            near = nearest(axis, known)
            mend = f"did you mean `{near}`?" if near else f"the axes are {', '.join(known) or 'none'}"
            yield CaseError(f"there is no axis `{axis}`", where=doc.key((*path, axis)), mend=mend)
        if not unknown and must_hold and not any(condition.holds(row) for row in rows):
            yield CaseError(
                "this `when` holds in no cell of the matrix", where=doc.key(path), mend="look at its values"
            )


def _every_condition(model: CaseModel) -> Iterator[tuple[Condition, Path, bool]]:
    for index, exclude in enumerate(model.matrix.exclude):
        yield exclude, ("matrix", "exclude", index), False
    for part in ("requires", "known_bugs"):
        for index, entry in enumerate(getattr(model, part)):
            if entry.when is not None:
                yield entry.when, (part.replace("_", "-"), index, "when"), True
    for step, path in every_step(model.steps, ("steps",)):
        if step.when is not None:
            yield step.when, (*path, "when"), True
        yield from _claim_conditions(step.claims, (*path, "claims"))
    yield from _claim_conditions(model.claims, ("claims",))


def _claim_conditions(found: claims.ClaimMap, path: Path) -> Iterator[tuple[Condition, Path, bool]]:
    for subject, sets in found.items():
        for index, one in enumerate(sets):
            if one.when is not None:
                yield one.when, (*path, subject, index, "when"), True


def _unused(model: CaseModel, doc: Document, seen: _Seen) -> Iterator[CaseError]:
    used = set(seen.used)
    used |= {name.partition(".")[0] for name, _ in references(doc.data)}
    for condition, path, _ in _every_condition(model):
        if path[0] != "matrix":
            used |= condition.names()
    for name, text in model.sources.items():
        used |= {found.partition(".")[0] for found, _ in references(text)} if name else set()
    for axis in model.matrix.axes:
        if axis not in used:
            known = ", ".join(matrix.AXIS_VALUES)
            mend = f"refer to it as `${{{axis}}}` or in a `when`; rustc steps take {known} by themselves"
            yield CaseError(f"nothing uses the axis `{axis}`", where=doc.key(("matrix", axis)), mend=mend)


def _excludes(model: CaseModel, doc: Document) -> Iterator[CaseError]:
    rows = matrix.product(model.matrix)
    for index, exclude in enumerate(model.matrix.exclude):
        if not any(exclude.holds(row) for row in rows):
            yield CaseError(
                "this exclude matches no cell",
                where=doc.key(("matrix", "exclude", index)),
                mend="look at its values",
            )


def _bugs(model: CaseModel, doc: Document, seen: _Seen) -> Iterator[CaseError]:
    actions = set(steps.ACTIONS)
    for index, bug in enumerate(model.known_bugs):
        if bug.signature.step not in seen.ids | actions | {"end"}:
            near = nearest(bug.signature.step, sorted(seen.ids))
            mend = f"did you mean `{near}`?" if near else f"the steps are {', '.join(sorted(seen.ids))}"
            where = doc.value(("known-bugs", index, "signature", "step"))
            yield CaseError(f"there is no step `{bug.signature.step}`", where=where, mend=mend)
