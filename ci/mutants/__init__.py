"""Whether the tests can fail: compilers with one fault each, which the cases must see."""
