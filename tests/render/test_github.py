"""Annotations and job summaries for GitHub Actions."""

from pathlib import PurePath

from linkage.judge.verdict import Failure
from linkage.render.github import SUMMARY_LIMIT, annotations, job_summary
from linkage.render.run_data import VariantReport
from support.records import record

CHECKOUT = PurePath("/home/runner/work/mine")


def failing(line: int = 9, found: str = "it lacks answer", case: str = "cases/a.yaml") -> VariantReport:
    claim = Failure("lib", f"lib.cdylib.exports.{line}", f"{case}:{line}:7", "has answer", found)
    return record("fail", case=case, failures=[claim], cell=str(line))


def annotated(*reports: VariantReport, here: PurePath = CHECKOUT) -> list[str]:
    return list(annotations(reports, (), here, CHECKOUT))


def test_a_failure_is_at_the_line_of_its_claim() -> None:
    (command,) = annotated(failing(), record("pass"), record("known"), record("skip"))
    head, _, message = command.removeprefix("::").partition("::")
    assert head == "error file=cases/a.yaml,line=9,col=7,title=fail%3A cases/a.yaml%3A%3Astable[9]"
    first, *rest = message.split("%0A")
    assert first == "cases/a.yaml:9:7: lib: lib.cdylib.exports.9 does not hold"
    assert "    found:   it lacks answer" in rest
    assert "\n" not in command


def test_a_file_is_relative_to_the_checkout() -> None:
    assert "file=rust/cases/a.yaml,line=9" in annotated(failing(), here=CHECKOUT / "rust")[0]
    assert "file=cases/a.yaml,line=9" in annotated(failing(case="../cases/a.yaml"), here=CHECKOUT / "sub")[0]
    outside = annotated(failing(case="/opt/cases/a.yaml"))[0]
    assert "file=" not in outside
    assert "/opt/cases/a.yaml:9:7" in outside


def test_a_failure_without_a_claim_is_at_its_case() -> None:
    (command,) = annotated(record("error", reason="a compiler hung"))
    assert command.startswith("::error file=cases/a.yaml,title=error")


def test_a_case_that_cannot_be_read_is_at_its_mistake() -> None:
    (command,) = annotations((), ["cases/b.yaml:3:1: unknown key `stepz`"], CHECKOUT, CHECKOUT)
    assert command.startswith("::error file=cases/b.yaml,line=3,col=1,title=a case that cannot be read::")


def test_text_cannot_end_an_annotation() -> None:
    (command,) = annotated(failing(found="100%\n::error::x\r\n::add-mask::y", case="cases/a,b.yaml"))
    assert len(command.splitlines()) == 1
    assert "file=cases/a%2Cb.yaml," in command
    assert "100%25" in command


def test_github_shows_ten_errors_of_a_step() -> None:
    assert len(annotated(*(failing(line) for line in range(1, 11)))) == 10
    many = annotated(*(failing(line) for line in range(1, 31)))
    assert len(many) == 10
    assert many[-1] == "::error title=linkage::21 more failures are in the log"


def test_summary_of_a_job() -> None:
    text = job_summary([record("pass"), record("known"), failing()], ["cases/b.yaml:3:1: no"], ["c: broke"])
    assert text.startswith("## linkage\n\n3 variants: 1 pass, **1 fail**, 1 known.\n")
    assert "| <code>cases/a.yaml</code> | 1 pass, **1 fail**, 1 known |" in text
    assert "<code>stable</code> is 1.95.0 (59807616e 2026-04-14)" in text
    for title in ("fail: cases/a.yaml::stable[9]", "a case that cannot be read", "without a verdict"):
        assert f"<details open><summary>{title}</summary>" in text
    assert "cases/a.yaml:9:7: lib: lib.cdylib.exports.9 does not hold" in text


def test_summary_shows_only_failing_cases_of_many() -> None:
    many = [record("pass", case=f"cases/{number}.yaml") for number in range(100)]
    text = job_summary([*many, failing()], (), ())
    assert "101 variants: 100 pass, **1 fail**." in text
    assert [line for line in text.splitlines() if line.startswith("| <code>cases/")] == [
        "| <code>cases/a.yaml</code> | **1 fail** |"
    ]
    assert "|" not in job_summary(many, (), ())


def test_summary_of_nothing() -> None:
    assert job_summary((), (), ()).startswith("## linkage\n\nNo variant was run.\n")


def test_summary_is_not_too_long() -> None:
    broken = [f"{number}: {'x' * 1900}" for number in range(1000)]
    text = job_summary([], (), broken)
    assert len(text.encode()) <= SUMMARY_LIMIT
    shown = text.count("<details")
    assert text.rstrip().endswith(f"{1000 - shown} more failures are in the log.")


def test_text_cannot_end_a_part_of_the_summary() -> None:
    hostile = "```\n<script>alert(1)</script>\x1b[31m"
    text = job_summary([record("pass", case="cases/a|b<i>`.yaml")], (), [hostile])
    assert "````text\n```\n<script>alert(1)</script>\\x1b[31m\n````" in text
    assert "<code>cases/a&#124;b&lt;i&gt;&#96;.yaml</code>" in text
    assert "\x1b" not in text
