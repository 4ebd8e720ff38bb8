"""The checks that need the whole case: nothing unused, nothing that selects nothing, nothing outside."""

from harness.case.check.sources import source_files
from harness.case.check.whole import check

__all__ = ["check", "source_files"]
