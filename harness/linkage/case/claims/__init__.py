"""The model of claims: what must hold of a step's streams or of an artifact.

A claim about a table, a stream or a file that is missing or empty does not hold, unless it asks for
exactly that.
"""

from linkage.case.claims.artifact import OF_FILES, ArtifactClaims, ClaimMap, SectionClaim
from linkage.case.claims.names import LoaderNames, Names, SymbolVersions
from linkage.case.claims.patterns import Comparison, Pattern, Patterns, Regex
from linkage.case.claims.references import ArtifactReference, ArtifactReferences, ExportsDiffer
from linkage.case.claims.rustc import DiagnosticClaim, DiagnosticPattern, LinkClaim
from linkage.case.claims.symbols import ResolvedClaim, SymbolKind, Symbols
from linkage.case.claims.text import Content, Number, Text

__all__ = [
    "OF_FILES",
    "ArtifactClaims",
    "ArtifactReference",
    "ArtifactReferences",
    "ClaimMap",
    "Comparison",
    "Content",
    "DiagnosticClaim",
    "DiagnosticPattern",
    "ExportsDiffer",
    "LinkClaim",
    "LoaderNames",
    "Names",
    "Number",
    "Pattern",
    "Patterns",
    "Regex",
    "ResolvedClaim",
    "SectionClaim",
    "SymbolKind",
    "SymbolVersions",
    "Symbols",
    "Text",
]
