"""The answer of a bisection as JSON data. Pure."""

import json
from dataclasses import asdict
from typing import Any

from linkage.bisect.answer import Answer, Flip, FlipGroup
from linkage.render.bisect_markdown import evidence, script

FORMAT = 1
"""Incremented when the meaning of a key changes or a key is removed."""


def answer_data(answer: Answer) -> dict[str, Any]:
    """The answer as plain data."""
    asked = answer.asked
    data = {
        "format": FORMAT,
        "range": {
            "kind": asked.axis.kind,
            "old": None if asked.old is None else asked.axis.name(asked.old),
            "new": asked.axis.name(asked.new),
        },
        "groups": [_group(group) for group in answer.groups],
        "not_searched": [{"variant": variant, "why": reason} for variant, reason in answer.problems],
        "tried": answer.tried,
        "installed": answer.installed,
        "notes": list(answer.notes),
        "flaky": [asdict(one) for one in answer.flaky],
        "host": answer.host,
        "tool": answer.tool,
        "command": answer.command,
        "regress": answer.regress,
    }
    shown: dict[str, Any] = json.loads(answer.redaction.apply(json.dumps(data, ensure_ascii=False)))
    return shown


def _group(group: FlipGroup) -> dict[str, Any]:
    return {
        "variants": list(group.variants),
        "failures": [
            {
                "variant": one.question.variant,
                "step": one.question.signature.step,
                "claim": one.question.signature.claim,
                "codes": list(one.question.signature.codes),
                "text": one.question.signature.line,
            }
            for one in group.findings
        ],
        "flips": [_flip(flip) for flip in group.flips],
        "by_linker": group.by_linker,
        "evidence": evidence(group, group.cases[0]),
        "script": script(group, group.cases[0]),
        "cases": [
            {"case": case, "evidence": evidence(group, case), "script": script(group, case)}
            for case in group.cases
        ],
    }


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "before": asdict(flip.before),
        "after": asdict(flip.after),
        "becomes": flip.becomes,
        "candidates": list(flip.candidates),
        "skipped": [{"toolchain": name, "why": reason} for name, reason in flip.skipped],
        "compare": flip.compare,
        "releases": flip.releases,
        "by_merge": flip.by_merge,
        "merges": [
            {
                "commit": merge.commit,
                "date": merge.date,
                "pull": None if merge.pull is None else {**asdict(merge.pull), "link": merge.pull.link},
                "rolled_up": [{**asdict(pull), "link": pull.link} for pull in merge.rolled_up],
            }
            for merge in flip.merges
        ],
        "members": [
            {
                **asdict(one.pull),
                "link": one.pull.link,
                "commit": one.commit,
                "alone": one.alone,
                "why": one.why,
            }
            for one in flip.members
        ],
        "differs_beside_rustc": list(flip.beside),
        "by_linker": flip.by_linker,
        "held_linkers": [asdict(one) for one in flip.held],
        "changes": [
            {"kind": one.kind, "artifacts": dict(one.artifacts), "what": one.what, "names": list(one.names)}
            for one in flip.changes
        ],
    }
