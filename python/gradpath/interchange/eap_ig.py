"""The EAP-IG library's ``Graph`` (``eap.graph.Graph``).

Its rows, columns and names are those of Gradpath, and so is the sign of its scores: of a loss. Its ``attribute`` divides by the batch size
too; ``gradpath.score(..., normalization="library", batch_size=...)`` does the same.
"""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from typing import Any, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from .. import _values
from .._errors import ArgumentError
from ..circuit import Circuit
from ..graph import Graph
from ..scores import Scores


def to_graph(given: Union[Scores, Circuit], graph_class: Any = None) -> Any:
    """Scores or a circuit as a ``Graph``: its ``scores``, and for a circuit also which edges are ``in_graph``.

    Args:
        graph_class: The class; by default that of the library, which must be installed.

    Raises:
        ImportError: The library is not installed.
    """
    if graph_class is None:
        graph_class = import_module("eap.graph").Graph
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "graph.json")
        given.save(path)
        return graph_class.from_json(path)


def scores_from_graph(graph: Any) -> Scores:
    """The scores of a ``Graph``.

    Raises:
        ArgumentError: It is no graph of a sequential model, or has scores of another shape.
    """
    layers, heads = _shape(graph)
    return Scores.from_matrix(np.where(_real(graph), _values.as_array(graph.scores, "graph.scores"), 0), layers, heads)


def circuit_from_graph(graph: Any) -> Circuit:
    """The edges that are ``in_graph``, with the scores beside them."""
    layers, heads = _shape(graph)
    mask = _values.as_array(graph.in_graph, "graph.in_graph").astype(bool) & _real(graph)
    return Circuit.from_edges(mask, layers, heads, scores=scores_from_graph(graph))


def _shape(graph: Any) -> Tuple[int, int]:
    cfg: Any = getattr(graph, "cfg", None)
    if cfg is None:
        raise TypeError(f"a Graph of the EAP-IG library is needed, not {type(graph).__name__}")

    def of(name: str, otherwise: Any = None) -> Any:
        return cfg.get(name, otherwise) if hasattr(cfg, "get") else getattr(cfg, name, otherwise)

    if of("parallel_attn_mlp", False):
        raise ArgumentError("the graph is of a model whose heads and MLPs run beside each other; GPT-2's run one after the other")
    return int(of("n_layers")), int(of("n_heads"))


def _real(graph: Any) -> NDArray[np.bool_]:
    return Graph.of(*_shape(graph)).mask
