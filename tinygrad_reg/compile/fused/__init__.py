"""Machine code for programs: kernels of fused loops, written as text for LLVM and compiled with llvmlite, the library that Numba is built on.

The way of a program, file by file:

- ``reading`` makes ``nodes`` of its steps: what is computed at each point of an index space, from what, read where;
- ``schedule`` puts nodes into ``kernels``, each a nest of loops: cheap values are computed anew wherever they are needed;
- ``plan`` says in which ``order`` kernels run, and where values live: in states' homes, results, or scratch memory that is used again;
- ``write`` writes the text: ``loops`` a kernel, ``folds`` its sums, ``points`` a value at a point, ``memory`` loads and stores, ``functions``
  (``maths``, ``exponentials``, ``library``) what ops compute, ``products`` the calls of BLAS, all with the instructions of ``code``;
- ``machine`` makes machine code of it, kept on disk for the next process;
- ``replay`` runs it: ``table`` holds the addresses that it reads, ``states`` what Tensors get, ``runs`` the Python around it, ``calls`` ops that
  loops cannot compute.
"""
