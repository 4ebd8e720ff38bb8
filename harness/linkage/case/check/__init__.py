"""The checks that need the whole case: nothing unused, nothing that selects nothing, nothing outside."""

from linkage.case.check.checks import check

__all__ = ["check"]
