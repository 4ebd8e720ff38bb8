"""The answer of a bisection as JSON data. Pure."""

from dataclasses import asdict
from typing import Any

from linkage.bisect.answer import Answer, Flip, FlipGroup
from linkage.render.bisect_markdown import evidence, script

FORMAT = 1
"""Incremented when the meaning of a key changes or a key is removed."""


def answer_data(answer: Answer) -> dict[str, Any]:
    """The answer as plain data."""
    asked = answer.asked
    return {
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
    }


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
        "evidence": evidence(group),
        "script": script(group),
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
        "changes": [
            {"kind": one.kind, "artifacts": dict(one.artifacts), "what": one.what, "names": list(one.names)}
            for one in flip.changes
        ],
    }
