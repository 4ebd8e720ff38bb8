"""Mach-O files, as Apple's <mach-o/loader.h>, <mach-o/nlist.h> and <mach-o/fixup-chains.h> describe them."""
