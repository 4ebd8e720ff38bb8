"""The claims that no fault, no compiler and no variation of the matrix turns red, each with why it stays."""

from collections.abc import Mapping

Unbroken = tuple[str, str, str]
"""A case below `cases/`, a step's id, and the claim as failures name it."""

UNBROKEN: Mapping[Unbroken, str] = {}
