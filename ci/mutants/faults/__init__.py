"""A rustc with one fault: the wrapper that seeds it, and the table of faults. Nothing but Python's own."""
