"""A rustc with one fault: its wrapper, and the table of faults. Imports only the standard library."""
