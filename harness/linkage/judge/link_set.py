"""Claims about link sets: what one file leaves undefined, another one defines. Pure."""

from collections.abc import Iterator, Mapping

from linkage.case.claims import ResolvedClaim
from linkage.errors import PatternError
from linkage.judge.failed_claim import SYMBOLS, FailedClaim
from linkage.judge.name_set import Mismatch, listing, none_of, unjudged
from linkage.judge.pattern import compile_patterns
from linkage.judge.selected_files import SelectedFiles
from linkage.judge.view import View
from linkage.plan.observation import Outcome
from linkage.toolchain.version import RustcVersion


def check_link_set(
    claim: ResolvedClaim, view: View, roles: Mapping[str, str], outcome: Outcome, version: RustcVersion
) -> Iterator[FailedClaim]:
    """What does not hold of a link set; `roles` are the files of roles."""
    why = view.unlinkable
    if why is not None:
        yield FailedClaim("resolved", unjudged(why), SYMBOLS)
        return
    patterns = compile_patterns(claim.names, version)
    try:
        names = [name for name in view.undefined if any(pattern.matches(name) for pattern in patterns)]
    except PatternError as error:
        yield FailedClaim("resolved", unjudged(str(error)), SYMBOLS)
        return
    named = ", ".join(claim.names)
    if not names:
        miss = unjudged(f"no undefined symbols that match {named}: {none_of(view.undefined)}")
        yield FailedClaim("resolved", miss, SYMBOLS)
    defined, unread = set(view.provided), False
    for name in claim.link_set:
        files = SelectedFiles.of(outcome, (roles.get(name, name),))
        if not files.names and not files.others:
            yield FailedClaim(
                "resolved",
                Mismatch("link-set", f"{name} is in the link set", f"{name} does not exist"),
                "ls -l",
            )
        found = {path: View(outcome.facts[path]) for path in files.names}
        whys = [f"{path}: {why}" for path, other in found.items() if (why := other.unlinkable) is not None]
        whys += [f"{path} is {what}" for path, what in files.unread.items()]
        for why in whys:
            yield FailedClaim("resolved", Mismatch("link-set", f"{name} can be read", why, error=True), "")
        unread = unread or bool(whys)
        defined.update(*(other.provided for other in found.values()))
    missing = [name for name in names if name not in defined]
    if unread:
        return  # what was not read may define what is missing
    if missing:
        miss = Mismatch(
            "", f"symbols that match {named} are defined in the link set", f"not defined: {listing(missing)}"
        )
        yield FailedClaim("resolved", miss, SYMBOLS)
