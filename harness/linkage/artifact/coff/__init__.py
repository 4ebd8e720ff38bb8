"""COFF objects, import libraries' members, and PE images: https://learn.microsoft.com/windows/win32/debug/pe-format."""
