"""Tables of symbols and sections, for property tests."""

from hypothesis import strategies as st

from linkage.artifact.facts import Binding, Section, Symbol, SymbolType, Visibility

NAMES = st.text(st.characters(min_codepoint=1, codec="utf-8"), min_size=1, max_size=6)
FEW = st.sampled_from(["foo", "oo", "o", "barfoo", "foo.llvm.1", "\\xff"]) | NAMES


@st.composite
def symbols(draw: st.DrawFn) -> Symbol:
    place = draw(st.sampled_from(["section", "undefined", "absolute", "common"]))
    version = draw(st.none() | st.sampled_from(["GLIBC_2.34", "V1"]))
    kind = draw(st.sampled_from([one for one in SymbolType if one is not SymbolType.COMMON]))
    return Symbol(
        name=draw(FEW),
        binding=draw(st.sampled_from(Binding)),
        visibility=draw(st.sampled_from(Visibility)),
        type=SymbolType.COMMON if place == "common" else kind,
        defined=place != "undefined",
        absolute=place == "absolute",
        section=draw(FEW) if place == "section" else None,
        value=draw(st.integers(0, 2**64 - 1)),
        size=draw(st.integers(0, 2**64 - 1)),
        version=version,
        default_version=version is not None and place != "undefined" and draw(st.booleans()),
        comdat=draw(st.none() | FEW) if place == "section" else None,
    )


sections = st.builds(
    Section,
    name=FEW,
    size=st.integers(0, 2**64 - 1),
    type=st.sampled_from(["PROGBITS", "NOBITS", "RELA", "0x60000009"]),
    flags=st.sampled_from(["", "A", "AX", "WA", "MS", "Eo", "p"]),
)
