"""LLVM bitcode: who wrote it, and the symbol table that it brings for linkers."""
