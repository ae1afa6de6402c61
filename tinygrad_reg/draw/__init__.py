"""Drawing: from a recorded graph, or a compiled program, to DOT, pictures, and text.

``graph`` reads; a ``Graph`` is what it has read. For walks of one's own, and for other ways to draw:

- ``Graph.nodes``, a list of :class:`Node`, and ``Graph.edges``, a list of :class:`Edge`: all of the computation, in order of execution,
  whatever is folded. Ids are ``n0``, ``n1``, … and ``e0``, ``e1``, …, the same in each drawing of the same computation.
- ``Graph.clusters``, a dict of :class:`Cluster` by id: layers, penalties, fused groups; a tree by ``parent`` and ``children``.
- ``Graph.view``, what is drawn: ``boxes`` (nodes, and :class:`Fold` for closed layers and long stretches), ``edges`` between boxes (pairs of an
  :class:`Edge` and how many it stands for), ``cluster`` of each box, ``hint``. ``Graph.folds`` are its folds.
- A node's ``value`` and ``gradient`` are a :class:`Summary`, worked out when asked for, or None: for a gradient that says "not computed".
  ``node.array`` and ``node.gradient_array`` are the numbers themselves; ``histogram(array)`` counts them.

In files: ``nodes`` and ``summaries`` the records; ``reading``, ``layers``, ``terms`` and ``recorded`` from Tensors to records, ``programs`` from
compiled functions; ``folding`` and ``connectors`` the view; ``dot`` (``themes`` its colours), ``rendering``, ``text`` and ``page`` the results;
``graph`` what users call.
"""

from .folding import View
from .graph import Graph, graph
from .nodes import Cluster, Edge, Fold, Node
from .rendering import NoGraphvizError
from .summaries import Summary, histogram

__all__ = ["Cluster", "Edge", "Fold", "Graph", "NoGraphvizError", "Node", "Summary", "View", "graph", "histogram"]
