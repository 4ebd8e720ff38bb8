"""What a reproduction script checks of a step, as far as a shell and readelf can.

Exit statuses, promised files, plain texts of streams, and claims about names that are exact,
globs, or groups of those. What is left over is told as the harness found it.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from linkage.case import steps as model
from linkage.case.claims import Names, Text
from linkage.case.symbol_groups import groups
from linkage.case.variables import REFERENCE
from linkage.plan.plan import ClaimGroup, PlannedStep
from linkage.plan.shell import printed, quoted
from linkage.plan.state import is_glob
from linkage.plan.template import Template
from linkage.toolchain.version import RustcVersion

FUNCTIONS = r"""say() { printf '%s\n' "$1"; }
stop() { say "not as the case says: $1"; exit 1; }
miss() { say "not as the case says: $1"; wrong=1; }
symbols() { # of FILE, in the table NAME, `defined` or `undefined`
    readelf -sW "$1" | awk -v table="$2" -v state="$3" '
        /^Symbol table/ { inside = index($0, table) }
        inside && $1 ~ /^[0-9]+:$/ && $4 != "SECTION" && $4 != "FILE" && $8 != "" {
            if (($7 == "UND") == (state == "undefined")) { sub(/@.*/, "", $8); print $8 }
        }'
}
needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }
text() { cat "$1"; echo .; } # a shell takes the newlines at a text's end away
""".rstrip()
"""What the checks call. `wrong` is 0 where nothing has been missed yet."""

_NAMES: dict[str, Callable[[str], str]] = {
    "defines": lambda file: f"symbols {file} .symtab defined",
    "undefined": lambda file: f"symbols {file} .symtab undefined",
    "exports": lambda file: f"symbols {file} .dynsym defined",
    "imports": lambda file: f"symbols {file} .dynsym undefined",
    "needed": lambda file: f"needed {file}",
    "members": lambda file: f"ar t {file}",
}
_SPECIAL = re.compile(r"([.\[\]{}()*+?^$|\\])")
_SIGNALLED = 128  # what a shell adds to a signal's number
_ICE = 101  # rustc's status where it panicked


@dataclass(frozen=True, slots=True)
class Check:
    """A line of the script, and the claim (as a failure names it) that it checks."""

    claim: str
    line: str


def exit_check(step: PlannedStep, status: str) -> str:
    """The line that stops the script where a step's exit status, in a variable, is not as expected."""
    expected = step.model.exit if isinstance(step.model, model.ProcessStep) else 0
    compiler = step.command is not None and step.command.program == "rustc"
    holds = _exit_condition(expected, f'"${status}"', compiler=compiler)
    said = {"fails": "a failure, and no crash", "ice": "an internal compiler error", "any": "no signal"}
    wanted = said.get(str(expected), str(expected))
    return f'{holds} || stop {shlex.quote(step.id)}": exit status ${status}, expected: {wanted}"'


def _exit_condition(expected: int | str, status: str, *, compiler: bool) -> str:
    crash = f" && [ {status} -ne {_ICE} ]" if compiler else ""
    if expected == "any":
        return f"[ {status} -lt {_SIGNALLED} ]"
    if expected == "fails":
        return f"{{ [ {status} -gt 0 ] && [ {status} -lt {_SIGNALLED} ]{crash}; }}"
    if expected == "ice":
        return f"[ {status} -eq {_ICE} ]"
    if isinstance(expected, str):
        return f'[ "$(kill -l {status})" = {expected.removeprefix("SIG")} ]'
    return f"[ {status} -eq {expected} ]"


def step_checks(step: PlannedStep, streams: str, version: RustcVersion) -> Iterator[Check]:
    """The checks of a step that ended as expected; `streams` is where its stdout and stderr are."""
    for path in step.promised:
        missed = shlex.quote(f"{step.id}: {_plain(path)} was not made")
        yield Check("produces", f"[ -e {shlex.quote(path)} ] || miss {missed}")
    if isinstance(step.model, model.ProcessStep):
        for stream in ("stdout", "stderr"):
            claim: Text | None = getattr(step.model, stream)
            if claim is not None and not claim.normalize:
                yield from _text_checks(step.id, stream, claim, f"{streams}.{stream}")
    for group in step.claims:
        yield from group_checks(group, version)


def _text_checks(step: str, stream: str, claim: Text, file: str) -> Iterator[Check]:
    for part, texts, wanted in (
        ("contains", claim.contains, True),
        ("not-contains", claim.not_contains, False),
    ):
        for text in texts:
            literal = quoted(Template.neutral(text), {})
            missed = f"miss {shlex.quote(f'{step}: {stream} {part} {_plain(text)}')}"
            found, other = (":", missed) if wanted else (missed, ":")
            yield Check(
                f"{stream}.{part}", f'case $(text "{file}") in *{literal}*) {found} ;; *) {other} ;; esac'
            )
    if claim.equals is not None:
        missed = shlex.quote(f"{step}: {stream} equals {_plain(claim.equals)}")
        expected = printed(claim.equals.encode())
        if "$WORK" in claim.equals:
            expected += ' | sed "s|[$]WORK|$WORK|g"'
        yield Check(f"{stream}.equals", f'{expected} | cmp -s - "{file}" || miss {missed}')
    if claim.empty is not None:
        there = f'[ ! -s "{file}" ]' if claim.empty else f'[ -s "{file}" ]'
        missed = shlex.quote(f"{step}: {stream} {'' if claim.empty else 'not '}empty")
        yield Check(f"{stream}.empty", f"{there} || miss {missed}")


def group_checks(group: ClaimGroup, version: RustcVersion) -> Iterator[Check]:
    """The checks of the claims about one artifact."""
    if is_glob(group.pattern):
        return
    file = shlex.quote(group.pattern)
    there = f"[ -e {file} ]" if group.claims.exists else f"[ ! -e {file} ]"
    state = "is there" if group.claims.exists else "is not there"
    missed = shlex.quote(f"{_plain(group.pattern)} {state}")
    yield Check(f"{group.subject}.exists", f"{there} || miss {missed}")
    for key, names_of in _NAMES.items():
        claim: Names | None = getattr(group.claims, key)
        if claim is not None and not (claim.within or claim.except_):
            yield from _name_checks(f"{group.subject}.{key}", claim, names_of(file), version)


def _name_checks(key: str, claim: Names, listing: str, version: RustcVersion) -> Iterator[Check]:
    for part, texts in (("all", claim.all), ("none", claim.none), ("only", claim.only or ())):
        for text in texts:
            regex = _regex([text], version)
            if regex is None:
                continue
            missed = shlex.quote(f"{key} {part}: {_plain(text)}")
            absent = "! " if part == "none" else ""
            found = f"{absent}{listing} | grep -Exq -- {shlex.quote(regex)}"
            yield Check(f"{key}.{part}", f"{found} || miss {missed}")
    regex = _regex(claim.only or (), version)
    if claim.only is not None and regex is not None:
        others = f"more=$({listing} | sort -u | grep -Exv -- {shlex.quote(regex)})"
        missed = shlex.quote(f"{key} only, also: ")
        yield Check(f"{key}.only", f'! {others} || miss {missed}"$more"')


def _regex(texts: Iterable[str], version: RustcVersion) -> str | None:
    """One extended regular expression for these patterns; None where one of them has no such."""
    parts = [_one_regex(text, version) for text in texts]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    return "|".join(found) or "$^"  # what matches no line


def _one_regex(text: str, version: RustcVersion) -> str | None:
    reference = REFERENCE.fullmatch(text)
    if reference and reference[1] in groups():
        return _regex(groups()[reference[1]].patterns(version), version)
    if (len(text) > 1 and text[0] == text[-1] == "/") or text.startswith("path:") or "[" in text:
        return None
    if text.startswith("="):
        return _SPECIAL.sub(r"\\\1", text[1:])
    return _SPECIAL.sub(r"\\\1", text).replace(r"\*", ".*").replace(r"\?", ".")


def covered(checks: Sequence[Check], claim: str) -> bool:
    """Whether a failure's claim is among what the script checks by itself."""
    return claim in ("", "exit") or any(check.claim == claim for check in checks)


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
