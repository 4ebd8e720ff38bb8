"""ELF files, as the gABI describes them: https://gabi.xinuos.com/."""
