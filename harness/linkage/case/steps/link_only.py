"""`link-only`: finish a `no-link: true` step from its .rlink file."""

from linkage.case.base import FileName, RelativePath
from linkage.case.steps.rustc import RustcOptions
from linkage.case.steps.step import FileChanges, StepNames


class LinkOnlyStep(RustcOptions):
    """-Zlink-only: finish a `no-link: true` step from its .rlink file."""

    action = "link-only"

    link_only: FileName
    """The id of that step."""
    rlink: RelativePath | None = None
    """Another file in place of that step's .rlink."""
    out_dir: RelativePath | None = None
    output: RelativePath | None = None

    def default_id(self, crate: str | None) -> str:
        _ = crate
        return f"link-{self.link_only}"

    def file_changes(self, _: StepNames, /) -> FileChanges:
        return FileChanges(written=(self.output,) if self.output else (), named_in=self.flags)
