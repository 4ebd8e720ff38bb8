"""`linkage repro`: a shell script that shows a variant's result and needs only rustc and cc."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from linkage.errors import ExitCode, LinkageError
from linkage.plan.plan import plan
from linkage.render.script import repro_script
from linkage.run.selection import one_case, variants
from linkage.run.session import chosen_toolchains, session_for, sources


def write_repro(text: str, specs: Sequence[str], output: str | None) -> int:
    """Write the script of one variant. Raises LinkageError where the id means several."""
    case, named, cell = one_case(text)
    if cell is None and len(case.rows) > 1:
        raise LinkageError(
            f"this case has {len(case.rows)} variants",
            where=text,
            help=f"name one, as {case.name}[{case.ids[0]}]",
        )
    session = session_for(os.environ)
    toolchain = chosen_toolchains(session, specs, named)[0]
    variant = variants(case, toolchain, cell)[0]
    reason = session.skip_reason(variant)
    if reason is not None:
        raise LinkageError(f"this variant cannot be run: {reason}", where=variant.id)
    planned = plan(variant)
    script = repro_script(planned, sources(variant), session.verdict(variant))
    if output is None:
        sys.stdout.write(script)
        return ExitCode.OK
    try:
        Path(output).write_text(script, encoding="utf-8")
        Path(output).chmod(0o755)
    except OSError as error:
        raise LinkageError(
            f"cannot be written: {error.strerror}", where=output, help="choose another file"
        ) from None
    return ExitCode.OK
