"""Data in, text out: terminal, Markdown, JSON, shell. Starts nothing."""
