"""The checks that need the whole case: nothing unused, nothing that selects nothing, nothing outside."""

from linkage.case.check.checks import check
from linkage.case.check.sources import source_files

__all__ = ["check", "source_files"]
