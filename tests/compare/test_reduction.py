"""A build in a snapshot: names of the toolchain's own libraries as a number and a digest."""

from linkage.compare.model import ComparedArtifact, ComparedStep, CrateTables, VariantBuild
from linkage.compare.names import C
from linkage.compare.reduction import reduced
from linkage.compare.tables import ALL

FUNC = ("FUNC GLOBAL DEFAULT .text",)


def test_long_output_is_summarized() -> None:
    few, many = "\n".join("abc"), "\n".join(map(str, range(40)))
    steps = tuple(
        ComparedStep("run", "run", "exit status 0", stdout=text) for text in (few, many, many + "!")
    )
    found = [step.stdout.split("\n") for step in reduced(VariantBuild(steps)).steps]
    assert found[0] == list("abc")
    assert [len(lines) for lines in found[1:]] == [9, 9]
    assert found[1][:8] == found[2][:8]
    assert found[1][8].startswith("32 more lines, ")
    assert found[1][8] != found[2][8]


def test_c_names_of_libraries_are_summarized() -> None:
    libc = {f"libc_{number}": FUNC for number in range(400)}
    one = ComparedArtifact("elf", 0, "", parts={"": CrateTables({"own": FUNC, "hidden_away": FUNC})})
    other = ComparedArtifact(
        "elf", 0, "", exports={"out": FUNC}, parts={"": CrateTables({**libc, "own": FUNC, "out": FUNC})}
    )
    step = ComparedStep("lib", "rustc", "exit status 0", outputs=("a", "b"), artifacts={"a": one, "b": other})
    (made,) = reduced(VariantBuild((step,))).steps
    assert made.artifacts["a"].parts[""].symbols.keys() == {"own", "hidden_away"}
    assert made.artifacts["b"].parts[""].symbols.keys() == {"own", "out", f"{C}{ALL}"}
    assert made.artifacts["b"].parts[""].symbols[f"{C}{ALL}"][0].startswith("400 ")
