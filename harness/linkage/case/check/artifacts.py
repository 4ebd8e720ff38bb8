"""What steps mention: ids, roles, programs and kept streams that are there where they are needed."""

import re
from collections.abc import Iterator

from linkage.case import steps
from linkage.case.base import nearest, suggest
from linkage.case.check.cells import Cell, Cells, Place
from linkage.case.check.outputs import Made
from linkage.case.check.steps import every_step
from linkage.case.document import Path
from linkage.case.mentions import Mention, is_role, mentions
from linkage.case.resolution import ROLE_KINDS
from linkage.case.variables import references
from linkage.errors import CaseError


def check_mentions(cells: Cells) -> None:
    """Note ids that stand twice, and mentions of what no earlier step of a variant makes."""
    known = cells.ids
    for cell in cells.cells:
        ids: set[str] = set()
        no_link: set[str] = set()
        kept: set[str] = set()
        made = Made()
        for place in cell.places:
            step = place.step.step
            if place.step.id in ids:
                where = cells.doc.value((*place.step.path, "id"))
                what = f"a second step is named `{place.step.id}`"
                cells.findings.add(what, where, cell.names, "give one of them an `id` of its own")
            ids.add(place.step.id)
            _artifacts(place, known, made, cell, cells)
            _kept(place, kept, cell, cells)
            if isinstance(step, steps.RunStep):
                _program(step.run, place, made, cell, cells)
            if isinstance(step, steps.LinkOnlyStep) and step.link_only not in no_link:
                where = cells.doc.value((*place.step.path, "link-only"))
                what = f"`{step.link_only}` is no earlier step with `no-link: true`"
                cells.findings.add(
                    what, where, cell.names, suggest(step.link_only, sorted(no_link), "those are {}")
                )
            if isinstance(step, steps.RustcStep) and step.no_link:
                no_link.add(place.step.id)
            if isinstance(step, steps.ProcessStep) and step.keep:
                kept.add(place.step.id)
            made.add(place.step)


def _artifacts(place: Place, known: set[str], made: Made, cell: Cell, cells: Cells) -> None:
    for mention in mentions(place.step.step):
        if mention.optional or mention.text in place.before:
            continue
        if is_role(mention.text, known) or _misspelt(mention, made, cells):
            no_such_role(mention.text, (*place.step.path, *mention.path), place.before, cell, cells)


def _misspelt(mention: Mention, made: Made, cells: Cells) -> bool:
    """Whether a text looks like a role of a step that there is not, and no file is called so."""
    kind = mention.text.rpartition(".")[2]
    return (
        kind in ROLE_KINDS
        and mention.path[0] not in ("ar", "write")  # these make the file
        and re.fullmatch(r"\w+\.[\w-]+", mention.text) is not None
        and mention.text not in (*cells.model.sources, *cells.model.files)
        and not made.has(mention.text)
    )


def no_such_role(role: str, path: Path, made: frozenset[str], cell: Cell, cells: Cells) -> None:
    """Note a role that is needed and that nothing has made."""
    owner = role.rpartition(".")[0]
    own = sorted(one for one in made if one.startswith(f"{owner}."))
    help = (
        f"`{owner}` makes {', '.join(own)}; a `when` can limit this to the variants that have it"
        if own
        else suggest(role, sorted(made), "made before this: {}")
    )
    cells.findings.add(f"`{role}` is made by no earlier step", cells.doc.value(path), cell.names, help)


def _program(name: str, place: Place, made: Made, cell: Cell, cells: Cells) -> None:
    programs = {role.removesuffix(".bin") for role in place.before if role.endswith(".bin")}
    if name in programs or is_role(name, cells.ids) or "${" in name or "/" in name or made.has(name):
        return
    help = suggest(name, sorted(programs), "the programs are {}")
    where = cells.doc.value((*place.step.path, "run"))
    cells.findings.add(f"`{name}` is no program that an earlier step makes", where, cell.names, help)


def _kept(place: Place, kept: set[str], cell: Cell, cells: Cells) -> None:
    data = cells.doc.at(place.step.path)
    own = {key: value for key, value in data.items() if key != "together"} if isinstance(data, dict) else {}
    for name, path in references(own):
        prefix, _, step_id = name.partition(".")
        if prefix == "kept" and step_id not in kept:
            help = suggest(step_id, sorted(kept), "steps with `keep` before this: {}")
            where = cells.doc.value((*place.step.path, *path))
            cells.findings.add(f"no earlier step `{step_id}` keeps a stream", where, cell.names, help)


def check_never(cells: Cells) -> Iterator[CaseError]:
    """Steps that are part of no variant, and claims about what is made in none."""
    ran = {place.step.path for cell in cells.cells for place in cell.places}
    for _, path in every_step(cells.model.steps, ("steps",)):
        if path not in ran:
            # Its own `when` holds somewhere: else that would have been said.
            help = "its `when` and that of the steps around it hold in no cell together"
            yield CaseError("this step never runs", where=cells.doc.key(path), help=help)
    known, roles = cells.ids, cells.roles
    selected: dict[Path, tuple[str, bool]] = {}
    for cell in cells.cells:
        for mention, made in _optional(cell, cells):
            hit = mention.text in made or not is_role(mention.text, known)
            selected[mention.path] = (mention.text, hit or selected.get(mention.path, ("", False))[1])
    for path, (role, hit) in selected.items():
        if not hit:
            near = nearest(role, sorted(roles))
            where = cells.doc.value(path) if path[-1] == "of" else cells.doc.key(path)
            help = (
                f"did you mean `{near}`?"
                if near
                else f"the steps make {', '.join(sorted(roles)) or 'nothing'}"
            )
            yield CaseError(
                f"`{role}` is made in no variant: this claim selects nothing", where=where, help=help
            )


def _optional(cell: Cell, cells: Cells) -> Iterator[tuple[Mention, frozenset[str]]]:
    for place in cell.places:
        for mention in mentions(place.step.step):
            if mention.optional:
                yield Mention(mention.text, raw_path(cells, place.step.path, mention.path)), place.after
    for subject in cells.model.claims:
        yield Mention(subject, ("claims", subject)), cell.roles


def raw_path(cells: Cells, step: Path, path: Path) -> Path:
    """A path in a step as the file has it, where a variable stands in a claim's subject."""
    if path[0] != "claims" or (*step, *path[:2]) in cells.doc.values:
        return (*step, *path)
    subjects = [key for key in cells.doc.keys if key[:-1] == (*step, "claims") and "${" in str(key[-1])]
    return (*subjects[0], *path[2:]) if len(subjects) == 1 else (*step, *path)
