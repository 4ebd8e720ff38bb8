"""Claims about a set of names: symbols, libraries, members, sections, files or arguments. Pure."""

import difflib
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from linkage.artifact.demangle import demangled_path
from linkage.case.claims import Names
from linkage.errors import PatternError
from linkage.host.terminal import escape
from linkage.judge.pattern import PATH, Pattern, compile_patterns, plain_name, spelt
from linkage.toolchain.version import RustcVersion

SHOWN = 8
"""How many names a message lists before it counts the others."""

_PATH_SHOWN = 60
"""Characters of a path in a list."""

_LAST_WORD = re.compile(r"\w+|^\W*$")
"""The words of a name; a name without any is one."""

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq, "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One part of a claim that does not hold: what was claimed and found, and the names nearest to it."""

    part: str
    claimed: str
    found: str
    nearest: tuple[str, ...] = ()
    error: bool = False
    """It could not be judged; `found` says why."""
    wrong: str = ""
    """The part of `found` that is wrong, if there is more in it."""


def unjudged(why: str) -> Mismatch:
    """A claim that could not be judged."""
    return Mismatch("", "can be judged", why, error=True)


P = ParamSpec("P")


def until_unmatchable(check: Callable[P, Iterator[Mismatch]]) -> Callable[P, Iterator[Mismatch]]:
    """A check that ends with an error if a pattern cannot be matched, or not in time."""

    @wraps(check)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Iterator[Mismatch]:
        try:
            yield from check(*args, **kwargs)
        except PatternError as error:
            yield unjudged(str(error))

    return checked


def compare(text: str, value: int) -> bool:
    """Whether `>=1`, `<100` or `3` holds for a number."""
    sign, number = re.fullmatch(r"([<>=!]*)\s*(\d+)", text).groups()  # type: ignore[union-attr]  # the case reader checked it
    return _OPERATORS[sign](value, int(number))


def asks_for_nothing(claim: Names) -> bool:
    """Whether the claim is that there are no names: `count: 0` is, `count: "<9"` is not."""
    # `within` selects names: an empty table has none to judge.
    return not claim.within and _wants_none(claim)


def asks_for_something(claim: Names) -> bool:
    """Whether the claim does not hold for an empty list, whatever else it says."""
    counts = claim.count is not None and not compare(claim.count, 0)
    return bool(claim.all or claim.any or claim.only or claim.order or counts)


def means_zero(text: str) -> bool:
    """Whether a comparison holds only for 0: `0`, `<1`."""
    return [number for number in range(3) if compare(text, number)] == [0]


def _wants_none(claim: Names) -> bool:
    return claim.only == () or (claim.count is not None and means_zero(claim.count))


@until_unmatchable
def check_names(claim: Names, names: Sequence[str], version: RustcVersion) -> Iterator[Mismatch]:
    """The parts of the claim that do not hold for these names."""
    within = compile_patterns(claim.within, version)
    without = compile_patterns(claim.except_, version)
    chosen = names
    if within or without:
        chosen = [
            name
            for name in names
            if _any(within, name, default=True) and not _any(without, name, default=False)
        ]
    if not chosen and (claim.within or (claim.except_ and names)) and not _wants_none(claim):
        limits = "; ".join(
            f"{key} {', '.join(given)}"
            for key, given in (("within", claim.within), ("except", claim.except_))
            if given
        )
        part = "within" if claim.within else "except"
        claimed, found = f"names to judge ({limits})", none_of(names)
        if asks_for_something(claim):
            yield Mismatch(part, claimed, found)
        else:
            yield Mismatch(part, claimed, f"no {claimed}: {found}", error=True)
        return
    yield from _all(claim, chosen, version)
    yield from _none(claim, chosen, version)
    yield from _only(claim, chosen, version)
    if claim.any and not any(
        pattern.matches(name) for pattern in compile_patterns(claim.any, version) for name in chosen
    ):
        shown = readable(claim.any, chosen)
        near = nearest(claim.any, shown)
        yield Mismatch("any", f"has one of {_spelt(claim.any, version)}", listing(shown, around=near), near)
    if claim.count is not None and not compare(claim.count, len(chosen)):
        yield Mismatch("count", f"count {claim.count}", counted(chosen), wrong=str(len(chosen)))
    yield from _order(claim, chosen, version)


def _all(claim: Names, names: Sequence[str], version: RustcVersion) -> Iterator[Mismatch]:
    known = _known(names) if claim.all else set()
    for pattern in compile_patterns(claim.all, version):
        if pattern.exact is not None:
            found = pattern.exact in known
        else:
            found = any(pattern.matches(name) for name in known)
        if not found:
            shown = readable([pattern.text], names)
            near = nearest([pattern.text], shown)
            claimed, wrong = f"has {spelt(pattern.text, version)}", f"lacks {pattern.text}"
            yield Mismatch("all", claimed, missing_from(shown, near), near, wrong=wrong)


def _none(claim: Names, names: Sequence[str], version: RustcVersion) -> Iterator[Mismatch]:
    known = _known(names) if claim.none else set()
    for pattern in compile_patterns(claim.none, version):
        if pattern.exact is not None and pattern.exact not in known:
            continue
        found = sorted({name for name in names if pattern.matches(name)})
        if found:
            shown = listing(readable([pattern.text], found))
            yield Mismatch("none", f"lacks {spelt(pattern.text, version)}", f"has {shown}")


def _only(claim: Names, names: Sequence[str], version: RustcVersion) -> Iterator[Mismatch]:
    if claim.only is None:
        return
    patterns = compile_patterns(claim.only, version)
    more = sorted({name for name in names if not _any(patterns, name, default=False)})
    missing = [pattern.text for pattern in patterns if not any(pattern.matches(name) for name in names)]
    claimed = f"only {_spelt(claim.only, version)}" if claim.only else "no names"
    if more:
        shown = listing(readable(claim.only, more))
        yield Mismatch("only", claimed, f"{'also' if claim.only else 'has'} {shown}")
    if missing:
        present = readable(missing, names)
        near = nearest(missing, present)
        wrong = f"lacks {', '.join(missing)}"
        found = f"{wrong}; has {listing(present, around=near)}"
        yield Mismatch("only", claimed, found, near, wrong=wrong)


def _order(claim: Names, names: Sequence[str], version: RustcVersion) -> Iterator[Mismatch]:
    start = 0
    patterns = compile_patterns(claim.order, version)
    for pattern in patterns:
        place = next((i for i in range(start, len(names)) if pattern.matches(names[i])), None)
        if place is None:
            earlier = any(pattern.matches(name) for name in names[:start])
            state = "out of order" if earlier else "missing"
            near = () if earlier else nearest([pattern.text], readable([pattern.text], names))
            found = f"{pattern.text} is {state} in {_ordered(patterns, names)}"
            yield Mismatch("order", f"in this order: {', '.join(claim.order)}", found, near)
            return
        start = place + 1


def _known(names: Sequence[str]) -> set[str]:
    """The names, those with a version without it, too."""
    return {*names, *map(plain_name, names)}


def _ordered(patterns: Sequence[Pattern], names: Sequence[str]) -> str:
    """A list of names whose order matters; of a long one only those that the claim names."""
    chosen = [name for name in names if _any(patterns, name, default=False)]
    shown = readable([pattern.text for pattern in patterns], chosen if len(names) > SHOWN else names)
    if len(names) > SHOWN and chosen:
        return f"… {' … '.join(map(_short, shown[:SHOWN]))} … ({plural(len(names), 'name')})"
    return listing(shown or names) if names else "an empty list"


def readable(patterns: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """Names as the patterns see them: demangled for a path."""
    if any(pattern.startswith(PATH) for pattern in patterns):
        return [demangled_path(plain_name(name)) for name in names]
    return names


def _any(patterns: Sequence[Pattern], name: str, *, default: bool) -> bool:
    return any(pattern.matches(name) for pattern in patterns) if patterns else default


def _spelt(texts: Sequence[str], version: RustcVersion) -> str:
    return ", ".join(spelt(text, version) for text in texts)


def missing_from(names: Sequence[str], near: Sequence[str] = ()) -> str:
    """Where a name is missing, and the names around those nearest to it."""
    return f"not among {listing(names, around=near)}" if names else "the list is empty"


def none_of(names: Sequence[str]) -> str:
    """Which names do not match."""
    return f"none among {listing(names)}" if names else "the list is empty"


def counted(names: Sequence[str]) -> str:
    """How many names there are, and some of them."""
    return f"{len(names)}: {listing(names)}" if names else "0"


def plural(count: int, noun: str) -> str:
    """A number with its noun: `1 line`, `2 lines`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listing(names: Sequence[str], limit: int = SHOWN, around: Sequence[str] = ()) -> str:
    """Some names for a message, and how many more there are; unprintable characters are escaped.

    The first names, or those around the first of `around` that is among them.
    """
    if not names:
        return "nothing"
    place = next((names.index(name) for name in around if name in names), 0)
    start = max(0, min(place - limit // 2, len(names) - limit))
    shown = ", ".join(map(_short, names[start : start + limit]))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{'… ' if start else ''}{shown}{more}"


def _short(name: str) -> str:
    """A name in a list: of a long path only the file."""
    _, _, file = name.rpartition("/")
    return escape(f"…/{file}" if file and file != name and len(name) > _PATH_SHOWN else name)


def nearest(patterns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The names nearest to a missing one: those that contain it, then those spelled similarly."""
    found: dict[str, None] = {}
    for pattern in patterns:
        core = max(re.findall(r"\w+", pattern.removeprefix(PATH)), key=len, default="")
        if len(core) < 3:  # noqa: PLR2004 - a shorter word is in most names
            continue
        found |= dict.fromkeys([name for name in names if core.lower() in name.lower()][:3])
        if not found and len(names) < 5000:  # noqa: PLR2004 - comparing more names is too slow
            ends: dict[str, str] = {}
            for name in names:
                ends.setdefault(_LAST_WORD.findall(name)[-1] if pattern.startswith(PATH) else name, name)
            close = difflib.get_close_matches(core, ends, n=2, cutoff=0.6)
            found = dict.fromkeys(ends[end] for end in close)
    return tuple(found)
