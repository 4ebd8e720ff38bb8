"""Every claim about an artifact, in its positive form and in those that say what is not there.

A row of the table `tests/judge/claims_by_kind.txt` is one key; its forms are claims as a case has them, with
their subject. `KIND` stands for the artifact that the row is about.
"""

from collections.abc import Iterator

from linkage.case.claims import ArtifactClaims, ArtifactReference

NAMES = {
    "has": "{any: ['*']}",
    "none": "none",
    "lacks": "{none: [no_such_name]}",
    "lacks all": "{none: ['*']}",
    "count": "{count: 0}",
}
"""The forms of a claim about names."""

_OF_NAMES = (
    "defines", "undefined", "unresolved", "weak", "local", "global", "hidden", "absolute", "exports",
    "imports", "duplicates", "needed", "soname", "runpath", "interpreter", "symbol-versions", "build-id",
    "gnu-properties", "sections", "members", "crates", "index",
)  # fmt: skip
VALUES = {
    "format": (
        "elf",
        "coff",
        "pe",
        "macho",
        "wasm",
        "xcoff",
        "archive",
        "bitcode",
        "metadata",
        "other",
        "empty",
    ),
    "type": ("relocatable", "shared", "executable", "debug-only"),
    "pie": ("true", "false"),
    "relro": ("full", "partial", "none"),
    "bind-now": ("true", "false"),
    "text-relocations": ("true", "false"),
    "executable-stack": ("true", "false"),
    "tls": ("true", "false"),
    "thin": ("true", "false"),
    "bitcode": ("true", "false"),
    "metadata": ("true", "false"),
    "exists": ("true", "false"),
}
_NESTED = {
    "symbol-versions.symbols": ("symbol-versions: {symbols: {'*': ", "}}"),
    "imports.optional": ("imports: {optional: ", "}"),
    "needed.optional": ("needed: {optional: ", "}"),
    "references": ("references: {inside: ", "}"),
    "each-member.defines": ("each-member: {'*': {defines: ", "}}"),
}
_OTHERS = {
    "other of same-as.symbols": {
        "has": "twin.o: {differs-from: {artifact: KIND, compare: symbols}}",
        "none": "twin.o: {same-as: {artifact: KIND, compare: symbols}}",
    },
    "other of same-as.exports": {
        "has": "liboutside.so: {differs-from: {artifact: KIND, compare: exports}}",
        "missing": "liboutside.so: {same-as: {artifact: KIND, compare: exports}}",
    },
    "other of exports-differ": {
        "has": "liboutside.so: {exports-differ: {artifact: KIND, added: '*', removed: '*'}}",
        "missing": "liboutside.so: {exports-differ: KIND}",
    },
    "link set of resolved": {
        "has": "user.o: {resolved: {names: inside, link-set: KIND}}",
        "missing": "user.o: {resolved: {names: nowhere, link-set: KIND}}",
    },
}
"""Claims in which an artifact is the other one, about one that can be read."""
_COMPARED = ("bytes", "text", "symbols", "exports", "size")
_SINGLE = {
    "symbols.static": {
        "has": "symbols: {names: '*'}",
        "none": "symbols: {names: '*', count: 0}",
        "lacks": "symbols: {names: no_such_name, count: 0}",
    },
    "symbols.dynamic": {
        "has": "symbols: {names: '*', table: dynamic}",
        "none": "symbols: {names: '*', table: dynamic, count: 0}",
        "lacks": "symbols: {names: no_such_name, table: dynamic, count: 0}",
    },
    "resolved": {
        "has": "resolved: {names: outside, link-set: liboutside.so}",
        "missing": "resolved: {names: outside, link-set: []}",
    },
    "init-array": {"has": "init-array: '>0'", "none": "init-array: 0"},
    "fini-array": {"has": "fini-array: '>0'", "none": "fini-array: 0"},
    "section": {
        "has": "section: {.text: {size: '>=0'}}",
        "missing": "section: {.text: {size: '>999999999'}}",
        "lacks": "section: {.text: {not-contains: no-such-text}}",
        "lacks all": "section: {.text: {contains: no-such-text}}",
    },
    "each-member": {
        "has": "each-member: {'*': {size: '>=0'}}",
        "missing": "each-member: {'*': {size: '>9999999'}}",
    },
    "text": {
        "has": "text: {contains: text}",
        "lacks": "text: {not-contains: no-such-text}",
        "lacks all": "text: {not-contains: text}",
        "count": "text: {empty: true}",
    },
    "content": {
        "lacks": "content: {not-contains: no-such-text}",
        "missing": "content: {contains: no-such-text}",
    },
    "size": {"has": "size: '>0'", "none": "size: 0"},
    "mode": {"has": "mode: '644'", "missing": "mode: '600'"},
    "smaller-than": {"has": "smaller-than: large", "missing": "smaller-than: smallest"},
    "exports-differ": {
        "has": "exports-differ: {artifact: 'KIND.copy'}",
        "missing": "exports-differ: {artifact: 'KIND.other'}",
    },
}  # fmt: skip


def every_form() -> dict[str, dict[str, str]]:
    """The claims of each row, by the form's name."""
    found = {row: {name: f"{row}: {form}" for name, form in NAMES.items()} for row in _OF_NAMES}
    for row, (before, after) in _NESTED.items():
        found[row] = {name: f"{before}{form}{after}" for name, form in NAMES.items()}
    for row, values in VALUES.items():
        found[row] = {value: f"{row}: {value}" for value in values}
    for what in _COMPARED:
        found[f"same-as.{what}"] = {
            "has": f"same-as: {{artifact: KIND.copy, compare: {what}}}",
            "missing": f"same-as: {{artifact: KIND.other, compare: {what}}}",
        }
        found[f"differs-from.{what}"] = {
            "has": f"differs-from: {{artifact: KIND.other, compare: {what}}}",
            "missing": f"differs-from: {{artifact: KIND.copy, compare: {what}}}",
        }
    found |= _SINGLE
    named = {row: {name: f"KIND: {{{form}}}" for name, form in forms.items()} for row, forms in found.items()}
    return named | _OTHERS


def missing_keys() -> Iterator[str]:
    """Keys of claims, and values of `compare`, that no row is about."""
    rows = {row.partition(".")[0] for row in every_form()}
    for name, field in ArtifactClaims.model_fields.items():
        key = field.alias or name
        if key not in rows and key not in ("when", "where"):  # these select, and claim nothing
            yield key
    compared = ArtifactReference.model_fields["compare"].annotation
    yield from sorted(set(compared.__args__) - set(_COMPARED))  # type: ignore[union-attr]
