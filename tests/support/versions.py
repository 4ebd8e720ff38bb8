"""Versions of rustc, for property tests."""

from datetime import date

from hypothesis import strategies as st

from linkage.toolchain import Channel, RustcVersion


@st.composite
def versions(draw: st.DrawFn) -> RustcVersion:
    channel = draw(st.sampled_from(Channel))
    return RustcVersion(
        release=(1, draw(st.integers(40, 120)), 0 if channel.from_master else draw(st.integers(0, 2))),
        channel=channel,
        beta=draw(st.none() | st.integers(1, 9)) if channel is Channel.BETA else None,
        commit_hash=draw(st.none() | st.sampled_from(["a" * 40, "b" * 40])),
        commit_date=draw(st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))),
    )
