"""The report of a comparison on a terminal: the verdict, the groups, then each with evidence."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from linkage.compare.change_groups import ChangeGroup
from linkage.compare.comparison import ComparedSide, Comparison, NotCompared
from linkage.compare.model import LocatedChange
from linkage.host.terminal import escape
from linkage.judge.name_set import plural

_DETAILS = 6
_VARIANTS = 3
_WIDTH = 300


def print_result(result: Comparison) -> None:
    """Print the whole report."""
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(result):
        console.print(line)


def lines(result: Comparison) -> Iterator[Text]:
    """The report, line by line."""
    yield Text(verdict(result), "bold green" if result.same else "bold red")
    for name, side, other in (("BASE", result.base, result.head), ("HEAD", result.head, result.base)):
        yield Text(f"  {name}  {described(side)}")
        del other
    yield from (Text(f"  note: {note}", "yellow") for note in notes(result))
    if result.groups:
        yield Text("")
    for group in result.groups:
        yield from _group(group)
    yield from _left(result.not_compared)


def verdict(result: Comparison) -> str:
    """The result in one line."""
    compared = f"{result.compared} variant{'s' if result.compared != 1 else ''} compared"
    left = f", {len(result.not_compared)} not compared" if result.not_compared else ""
    if not result.compared:
        return f"nothing was compared{left}"
    kinds = len(result.unexpected)
    expected = plural(len(result.groups) - kinds, "expected change")
    text = f"different: {kinds} kinds of change" if kinds > 1 else "different: 1 kind of change"
    if not kinds:
        text = f"same except for {expected}" if result.groups else "same"
    if result.unmet:
        text += f"; {plural(len(result.unmet), 'expected change')} did not occur"
    errors = sum(one.error for one in result.not_compared)
    if errors:
        text += f"; {errors} could not be compared"
    return f"{text} ({compared}{left})"


def described(side: ComparedSide) -> str:
    """A side in one line: the toolchain, what linked its outputs, and in which environment."""
    linkers = ", ".join(f"{name} ({count})" for name, count in Counter(side.linkers).most_common())
    linked = f"linked by {linkers}" if linkers else "nothing was linked"
    bootstrap = f"; RUSTC_BOOTSTRAP=1 in {plural(side.bootstrap, 'variant')}" if side.bootstrap else ""
    source = f" from {side.snapshot}" if side.snapshot else ""
    return f"{side.name}{source}: rustc {side.version}, LLVM {side.llvm}; {linked}{bootstrap}"


def notes(result: Comparison) -> Iterator[str]:
    """What a reader must know to understand the differences."""
    base, head = result.base, result.head
    if base.fingerprint == head.fingerprint:
        yield "both sides are the same compiler and share cached results (help: --no-store builds twice)"
    if _names(base) != _names(head):
        yield "the sides use different linkers (help: --linker bfd)"
    tools = sorted({name for name, _ in base.machine.items() ^ head.machine.items()})
    if base.machine and head.machine and tools:
        yield f"the sides were built with different versions of {', '.join(tools)}"
    if bool(base.bootstrap) != bool(head.bootstrap):
        yield "RUSTC_BOOTSTRAP=1 was set on one side only, which changes how names are mangled"
    if result.linker:
        yield f"both sides link with {result.linker}, except in cases that choose a linker"
    if result.disabled_filters:
        yield f"disabled noise filters: {', '.join(result.disabled_filters)}"
    if result.base.snapshot or result.head.snapshot:
        yield "a snapshot has only sums of the toolchain's own libraries and C libraries"
    yield from (f"expected change did not occur: {one}" for one in result.unmet)


def _names(side: ComparedSide) -> set[str]:
    """The linkers without their versions."""
    return {name.split()[0] for name in side.linkers}


def _group(group: ChangeGroup) -> Iterator[Text]:
    sign = "=" if group.expected else "≠"
    yield Text(f"{sign} {escape(group.headline(), _WIDTH)}", "dim" if group.expected else "bold")
    if group.expected:
        yield Text(f"    expected: {group.expected}", "dim")
        return
    variants = group.variants
    more = f" and {len(variants) - _VARIANTS} more" if len(variants) > _VARIANTS else ""
    yield Text(f"    in {', '.join(variants[:_VARIANTS])}{more}", "dim")
    for places in group.found[:_DETAILS]:
        yield from (Text(f"    {line}") for line in evidence(places[0]))
    if len(group.found) > _DETAILS:
        yield Text(f"    … {len(group.found) - _DETAILS} more names: --json has all", "dim")


def evidence(found: LocatedChange) -> Iterator[str]:
    """A change, with the evidence from both sides."""
    change = found.change
    about = " ".join(part for part in (found.subject or found.step, escape(change.name, 160)) if part)
    base, head = escape(change.base, _WIDTH), escape(change.head, _WIDTH)
    if not change.details and (not base or not head):
        sign = "+" if head or change.kind.endswith(" new") else "-"
        yield f"{sign} {about}" + (f": {base or head}" if base or head else "")
        return
    yield f"~ {about}"
    yield f"    BASE {base or '(nothing)'}"
    yield f"    HEAD {head or '(nothing)'}"
    yield from (f"    {escape(line, 160)}" for line in change.details[:_DETAILS])
    if len(change.details) > _DETAILS:
        yield f"    … {len(change.details) - _DETAILS} more"


def _left(left: Sequence[NotCompared]) -> Iterator[Text]:
    if not left:
        return
    yield Text("")
    yield Text("not compared:", "bold")
    reasons = Counter((one.reason, one.error) for one in left)
    for (reason, error), count in reasons.most_common():
        first = next(one.variant for one in left if one.reason == reason)
        more = f" and {count - 1} more" if count > 1 else ""
        yield Text(f"  {escape(reason, _WIDTH)}", "red" if error else "")
        yield Text(f"    {first}{more}", "dim")
