"""Circuits: sets of edges."""

from __future__ import annotations

import os
from collections.abc import Set
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _files, _library, _tables, _values
from ._errors import ArgumentError
from ._handles import Owner, optional_dict
from .graph import Graph

if TYPE_CHECKING:
    from .scores import Scores

_DRAWINGS = (".svg", ".dot", ".html")


class Circuit(Owner):
    """Some edges of a model's graph. It is made of scores, by a search, by :meth:`load` or by :meth:`from_edges`.

    Attributes:
        details: What a search did on the way; empty for a circuit that no search made.
    """

    _KIND = "circuit"
    _INSTEAD = "save the circuit to a file, or send its edges or its matrix"
    _matrix: Optional[NDArray[np.bool_]] = None

    def __init__(self, value: int, details: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(value)
        self.details: Dict[str, Any] = details or {}

    @classmethod
    def load(cls, path: Any) -> "Circuit":
        """Reads .json or .safetensors.

        Raises:
            InputError: The file is not there, or holds no circuit.
        """
        return cls(_library.opened("gradpath_circuit_open", *_values.path(path)))

    @classmethod
    def from_edges(
        cls, edges: Union[Iterable[Any], NDArray[np.bool_]], n_layers: int, n_heads: int, scores: Optional["Scores"] = None
    ) -> "Circuit":
        """A circuit of these edges.

        Args:
            edges: Names such as "a0.h1->m2", pairs of writer and reader, or a bool matrix [F, K].
            scores: Kept beside the circuit, for its files.

        Raises:
            KeyError: The graph has no such edge.
            ArgumentError: The matrix has another shape, or marks what is no edge.
        """
        graph = Graph.of(n_layers, n_heads)
        from .scores import Scores

        if scores is not None and not isinstance(scores, Scores):
            raise TypeError(f"scores must be gradpath.Scores, not {_values.kind_of(scores)}")
        if hasattr(edges, "dtype") and getattr(edges, "ndim", 1) == 2:
            mask = _values.matrix(edges, np.bool_, graph.shape, "edges")
        else:
            mask = np.zeros(graph.shape, np.bool_)
            for edge in edges if isinstance(edges, Set) else _values.rows(edges, "edges", "a list of names or a bool matrix"):
                mask[graph.place(edge)] = True
        given = mask.view(np.uint8)
        arguments = (graph.n_layers, graph.n_heads, _values.address(given), given.size)
        if scores is None:
            return cls(_library.opened("gradpath_circuit_from_edges", *arguments, None))
        with scores._handle as handle:
            return cls(_library.opened("gradpath_circuit_from_edges", *arguments, handle))

    def save(self, path: Any) -> None:
        """Writes .json or .safetensors; the file appears when it is complete."""
        with self._handle as handle:
            _library.call("gradpath_circuit_save", handle, *_values.path(path))

    def svg(self, title: Optional[str] = None) -> str:
        """The circuit as a picture for papers, on white with a legend.

        Args:
            title: What it is called; by default the task and the model.
        """
        return self._draw("svg", title)

    def dot(self, title: Optional[str] = None) -> str:
        """The circuit in Graphviz's language."""
        return self._draw("dot", title)

    def html(self, title: Optional[str] = None) -> str:
        """A page that needs nothing else, in which the circuit can be explored, and other sizes of it by its scores.

        Raises:
            InputError: The graph is too large for a page.
        """
        return self._draw("html", title)

    def draw(self, path: Any, title: Optional[str] = None) -> None:
        """Writes a drawing; the file appears when it is complete.

        Args:
            path: .svg, .dot or .html, as of :meth:`svg`, :meth:`dot` and :meth:`html`.
            title: What it is called; by default the task and the model.

        Raises:
            ArgumentError: The extension is another.
            InputError: The file cannot be written.
        """
        named = _values.path(path)[0].decode()
        kind = os.path.splitext(named)[1].lower()
        if kind not in _DRAWINGS:
            raise ArgumentError(f"{named}: drawings are {', '.join(_DRAWINGS)}")
        _files.write(named, self._draw(kind[1:], title))

    def _draw(self, kind: str, title: Optional[str]) -> str:
        with self._handle as handle:
            return _library.text("gradpath_circuit_draw", handle, *_values.options(format=kind, title=title))

    def prune(self) -> "Circuit":
        """The circuit without what lies on no path from the input to the logits."""
        with self._handle as handle:
            return Circuit(_library.opened("gradpath_circuit_prune", handle), self.details)

    @property
    def graph(self) -> Graph:
        """The graph that the edges are of."""
        return Graph.of(self._fact("n_layers", int), self._fact("n_heads", int))

    @property
    def matrix(self) -> NDArray[np.bool_]:
        """bool [F, K], read-only: True where the edge is in."""
        with self._handle as handle:
            if self._matrix is None:
                matrix = np.empty(self.graph.shape, np.bool_)
                _library.call("gradpath_circuit_edges", handle, _values.address(matrix), matrix.size, None)
                self._matrix = _values.frozen(matrix)
        return self._matrix

    @property
    def edges(self) -> List[str]:
        """Names of the edges, row by row."""
        return list(self.graph.names(self.matrix))

    @property
    def n_edges(self) -> int:
        """How many edges."""
        return self._fact("n_edges", int)

    @property
    def n_nodes(self) -> int:
        """How many writers have an edge that is in."""
        return self._fact("n_nodes", int)

    @property
    def scores(self) -> Optional["Scores"]:
        """The scores that it was selected from, or that its search gave its edges; None where there are none."""
        from .scores import Scores

        if not self._fact("has_scores", bool):
            return None
        with self._handle as handle:
            return Scores(_library.opened("gradpath_circuit_scores", handle))

    @property
    def provenance(self) -> Optional[Dict[str, Any]]:
        """How it was made. None where nothing says so."""
        return self._fact("provenance", optional_dict)

    def __len__(self) -> int:
        return self.n_edges

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.edges)

    def __contains__(self, edge: Union[str, Tuple[str, str]]) -> bool:
        """Whether an edge is in.

        Raises:
            KeyError: The graph has no such edge, so that a misspelt name is not taken for one that is out.
        """
        return bool(self.matrix[self.graph.place(edge)])

    def overlap(self, other: "Circuit") -> float:
        """Edges in both over edges in either (Jaccard); 1 for two empty circuits.

        Raises:
            ArgumentError: The other is of another graph.
        """
        if not isinstance(other, Circuit):
            raise TypeError(f"overlap is with another Circuit, not {_values.kind_of(other)}")
        if self.graph != other.graph:
            raise ArgumentError(f"the circuits are of different graphs: {self.graph} and {other.graph}")
        either = int((self.matrix | other.matrix).sum())
        return int((self.matrix & other.matrix).sum()) / either if either else 1.0

    def __repr__(self) -> str:
        if self.closed:
            return "Circuit(closed)"
        return f"Circuit({self.n_edges} of {_values.count(self.graph.n_edges, 'edge')}, {_values.count(self.n_nodes, 'node')})"

    def _repr_html_(self) -> str:
        return _tables.circuit(self)
