"""The checks that need the whole case."""

from linkage.case.check.checks import check

__all__ = ["check"]
