"""The report on a finding of `linkage fuzz`, ready to be filed, and the summary of a session."""

from linkage.fuzz.fuzz_log import FuzzLog, GraphFinding
from linkage.fuzz.graph import Graph
from linkage.fuzz.graph_case import GraphCheck
from linkage.fuzz.relations import RELATIONS
from linkage.fuzz.trial import RelationResult
from linkage.host.terminal import escape, escape_lines

_LONGEST = 3000
_MOST_REFUSALS = 10


def finding_text(
    finding: GraphFinding, graph: Graph, check: GraphCheck, result: RelationResult, case: str
) -> str:
    """A report on one finding, in Markdown."""
    relation = RELATIONS[check.relation]
    lines = [f"# {finding.line.rstrip('.')}", ""]
    lines += [f"Expected: {relation.about}.", ""]
    for failure in result.failures[:3]:
        lines += [
            f"Instead, after the step `{failure.step}`, `{failure.claim or 'the step'}` does not hold:", "",
            "    " + "\n    ".join(_cut(f"claimed: {failure.claimed}").splitlines()),
            "    " + "\n    ".join(_cut(f"found: {failure.found_there}").splitlines()), "",
        ]  # fmt: skip
    lines += [f"Compiler: `{finding.version}` ({finding.toolchain}).", ""]
    kinds = ", ".join("+".join(one.types) for one in graph.crates)
    state = "no single piece can be left out" if finding.complete else "not reduced to the end"
    lines += [f"The graph has {len(graph.crates)} crates ({kinds}); {state} ({finding.tries} tries).", ""]
    if finding.known:
        lines += ["It matches known bugs of the shipped cases:", ""]
        lines += [*(f"- {one}" for one in finding.known), ""]
    lines += ["## To reproduce", "", f"`linkage run {finding.file}` runs this case:", ""]
    lines += ["```yaml", case.rstrip(), "```", "", "The commands, in a folder with the sources:", ""]
    lines += [*(f"    {escape(one, _LONGEST)}" for one in result.commands), ""]
    return "\n".join(lines)


def _cut(text: str) -> str:
    return escape_lines(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def session_text(log: FuzzLog, seconds: float, pairs: tuple[int, int], unrepeated: dict[str, int]) -> str:
    """What a session found, for the terminal."""
    outcomes, hits = log.outcomes(), log.hits()
    checks = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())) or "none"
    covered = f"{pairs[0]} of {pairs[1]} pairs of features"
    lines = [
        f"seed {log.start.seed}: {len(log.graphs)} graphs in {seconds:.0f} s, {covered}; checks: {checks}"
    ]
    for title, news in (("new findings:", True), ("known bugs of the shipped cases:", False)):
        found = [one for one in log.findings if one.is_news == news]
        lines += [title] if found else []
        for one in found:
            place = (
                f"{one.relation} on {one.toolchain}, graph seed {one.graph_seed}, after {one.seconds:.0f} s"
            )
            lines.append(f"  {one.number}. {escape(one.line, 300)}")
            lines.append(f"     {place}, in {max(1, hits[one.number])} graphs: {one.file}")
            lines += [f"     {escape(known, 300)}" for known in one.known]
    if log.refusals():
        lines.append("refused by rustc with a message:")
        lines += [
            f"  {count} times: {escape(text, 160)}"
            for text, count in log.refusals().most_common(_MOST_REFUSALS)
        ]
    if unrepeated:
        lines.append("failed once, and not when tried again:")
        lines += [f"  {count} times: {escape(text, 200)}" for text, count in unrepeated.items()]
    return "\n".join(lines) + "\n"
