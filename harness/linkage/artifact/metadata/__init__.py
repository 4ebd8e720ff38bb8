"""rustc's crate metadata."""
