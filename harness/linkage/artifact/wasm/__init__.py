"""WebAssembly: https://webassembly.github.io/spec/core/binary/ and the tool conventions
https://github.com/WebAssembly/tool-conventions (Linking.md, DynamicLinking.md, ProducersSection.md).
"""
