"""Machine code for programs: kernels of fused loops, written as text for LLVM and compiled with the library that Numba is built on.

The way of a program: ``nodes`` (what is computed at each point) → ``schedule`` (in which loops) → ``plan`` (in which order, and where
values live) → ``loops`` with ``points`` and ``maths``, ``products`` (the text) → ``machine`` (machine code, cached on disk) → ``replay``.
"""
