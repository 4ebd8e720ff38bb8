"""XCOFF, AIX's object format: IBM's "AIX Files Reference", "XCOFF Object File Format"."""
