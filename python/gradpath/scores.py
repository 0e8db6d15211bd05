"""Scores of edges."""

from __future__ import annotations

import ctypes
import numbers
from importlib import import_module
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _library, _structs, _tables, _values
from ._errors import ArgumentError
from ._handles import Owner, optional_dict
from .circuit import Circuit
from .graph import Graph


_OVER = 3.4028235677973366e38


class ScoredEdge(NamedTuple):
    """An edge by its name, and its score."""

    edge: str
    score: float


class Scores(Owner):
    """A score for every edge of a model's graph, float32 [F, K]: a row per writer, a column per reader, 0 where there is no edge.

    A positive score says that corrupting the edge hurts. Scores are made by :func:`gradpath.score`, :meth:`load` and :meth:`from_matrix`.
    """

    _KIND = "scores"
    _INSTEAD = "save the scores to a file, or send their matrix"
    _matrix: Optional[NDArray[np.float32]] = None

    @classmethod
    def load(cls, path: Any) -> "Scores":
        """Reads .json (also as the EAP-IG library writes it) or .safetensors.

        Raises:
            InputError: The file is not there, or holds no scores.
        """
        return cls(_library.opened("gradpath_scores_open", *_values.path(path)))

    @classmethod
    def from_matrix(cls, matrix: Any, n_layers: int, n_heads: int) -> "Scores":
        """Takes scores from a matrix, which is copied.

        Args:
            matrix: [F, K], floating-point; 0 where the graph has no edge.

        Raises:
            ArgumentError: The shape is another.
            InputError: A value is not finite, or not 0 where there is no edge.
        """
        graph = Graph.of(n_layers, n_heads)
        values = _values.matrix(matrix, np.float32, graph.shape, "matrix")
        return cls(_library.opened("gradpath_scores_from_values", graph.n_layers, graph.n_heads, _values.address(values), values.size))

    @classmethod
    def from_edges(cls, scores: Mapping[str, float], n_layers: int, n_heads: int) -> "Scores":
        """Takes scores by the names of edges; edges that are not named have 0.

        Raises:
            KeyError: The graph has no such edge.
            TypeError: A value is no number.
            ArgumentError: A value is too large for float32.
        """
        graph = Graph.of(n_layers, n_heads)
        if not isinstance(scores, Mapping):
            raise TypeError(f"scores must be a dict of numbers by names of edges, not {_values.kind_of(scores)}")
        matrix = np.zeros(graph.shape, np.float32)
        for name, value in scores.items():
            matrix[graph.place(name)] = _number(value, name)
        return cls.from_matrix(matrix, n_layers, n_heads)

    def close(self) -> None:
        """Gives up the scores. The memory of :attr:`matrix` lives on where an array of the caller's still looks at it."""
        super().close()
        self._matrix = None

    def save(self, path: Any) -> None:
        """Writes .json, in the EAP-IG library's format, or .safetensors; the file appears when it is complete."""
        with self._handle as handle:
            _library.call("gradpath_scores_save", handle, *_values.path(path))

    @property
    def graph(self) -> Graph:
        """The graph that the scores are of."""
        return Graph.of(self._fact("n_layers", int), self._fact("n_heads", int))

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The scores, float32 [F, K], read-only. It is the library's own memory, which lives as long as the array does."""
        with self._handle as handle:
            if self._matrix is None:
                address, count = ctypes.c_void_p(), _structs.SIZE()
                _library.call("gradpath_scores_data", handle, ctypes.byref(address), ctypes.byref(count))
                memory = (ctypes.c_float * count.value).from_address(address.value or 0)
                self._handle.keep(memory)
                # Read-only itself, so that numpy refuses to make an array of it writeable.
                self._matrix = np.frombuffer(memoryview(memory).toreadonly(), np.float32).reshape(self.graph.shape)
        return self._matrix

    @property
    def node_scores(self) -> Optional[NDArray[np.float32]]:
        """Scores of writers as nodes, float32 [F]; None where the method gives none."""
        if not self._fact("has_node_scores", bool):
            return None
        values = np.empty(len(self.graph.writers), np.float32)
        with self._handle as handle:
            _library.call("gradpath_scores_nodes", handle, _values.address(values), values.size, None)
        return values

    @property
    def writers(self) -> Tuple[str, ...]:
        """Names of the rows."""
        return self.graph.writers

    @property
    def readers(self) -> Tuple[str, ...]:
        """Names of the columns."""
        return self.graph.readers

    @property
    def provenance(self) -> Optional[Dict[str, Any]]:
        """How the scores were made: program, model, data, method, settings, device. None where nothing says so."""
        return self._fact("provenance", optional_dict)

    def __getitem__(self, edge: Union[str, Tuple[str, str]]) -> float:
        """The score of an edge: ``scores["a0.h1->m2"]`` or ``scores["a0.h1", "m2"]``."""
        place = self.graph.place(edge)
        return float(self.matrix[place])

    def __len__(self) -> int:
        return self.graph.n_edges

    def top(self, n: int = 20, *, signed: bool = False) -> List[ScoredEdge]:
        """The n strongest edges by |score|, or by the score itself; ties by their place.

        Raises:
            TypeError: n is no whole number.
            ArgumentError: n is less than 0.
        """
        n = _values.whole(n, "n")
        _values.flags(signed=signed)
        graph, matrix = self.graph, self.matrix
        rows, columns = np.nonzero(graph.mask)
        values = matrix[rows, columns]
        order = np.argsort(-(values if signed else np.abs(values)), kind="stable")[:n]
        return [ScoredEdge(graph.edge(rows[i], columns[i]), float(values[i])) for i in order]

    def top_n(self, n: int, *, signed: bool = False, prune: bool = False, fill: bool = False) -> Circuit:
        """The n strongest edges as a circuit.

        Args:
            signed: By the score itself instead of |score|.
            prune: Leave out what lies on no path from the input to the logits, as :meth:`Circuit.prune` does.
            fill: Take as many edges as leave n after pruning, which this then does.

        Raises:
            ArgumentError: The graph has not so many edges.
        """
        _values.flags(signed=signed, prune=prune, fill=fill)
        return self._select(top_n=_values.whole(n, "n"), signed=signed, prune=prune or fill, fill=fill or None)

    def greedy(self, n: int, *, signed: bool = False, prune: bool = False, fill: bool = False) -> Circuit:
        """n edges from the logits backwards, each the strongest of those that lead into what is there; arguments as of :meth:`top_n`."""
        _values.flags(signed=signed, prune=prune, fill=fill)
        return self._select(greedy=_values.whole(n, "n"), signed=signed, prune=prune or fill, fill=fill or None)

    def threshold(self, least: float, *, signed: bool = False, prune: bool = False) -> Circuit:
        """All edges with |score| (or score) of at least this much."""
        _values.flags(signed=signed, prune=prune)
        return self._select(threshold=_number(least, "least"), signed=signed, prune=prune)

    def nodes(self, n: int, *, signed: bool = False, prune: bool = False) -> Circuit:
        """The edges among the n strongest nodes.

        Raises:
            InputError: There are no scores of nodes.
        """
        _values.flags(signed=signed, prune=prune)
        return self._select(nodes=_values.whole(n, "n"), signed=signed, prune=prune)

    def _select(self, **options: Any) -> Circuit:
        with self._handle as handle:
            return Circuit(_library.opened("gradpath_circuit_select", handle, *_values.options(**options)))

    def to_pandas(self) -> Any:
        """A DataFrame with a row per edge: edge, writer, reader, score.

        Raises:
            ImportError: pandas is not installed.
        """
        pandas: Any = import_module("pandas")

        graph = self.graph
        rows, columns = np.nonzero(graph.mask)
        return pandas.DataFrame({
            "edge": [graph.edge(r, c) for r, c in zip(rows, columns)],
            "writer": [graph.writers[r] for r in rows],
            "reader": [graph.readers[c] for c in columns],
            "score": self.matrix[rows, columns],
        })

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> NDArray[Any]:
        matrix = self.matrix
        return matrix.astype(dtype) if copy or (dtype is not None and dtype != matrix.dtype) else matrix

    def __repr__(self) -> str:
        if self.closed:
            return "Scores(closed)"
        made = (self.provenance or {}).get("method")
        return f"Scores({_values.count(self.graph.n_edges, 'edge')}{f', {made}' if made else ''})"

    def _repr_html_(self) -> str:
        return _tables.scores(self)


def _number(value: Any, name: str) -> float:
    _values.refuse_mask(value, name)
    scalar = value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value
    if isinstance(scalar, bool) or not isinstance(scalar, numbers.Real):
        raise TypeError(f"{name}: the value must be a number, not {_values.kind_of(value)}")
    try:
        number = float(scalar)
    except OverflowError:
        number = _OVER
    # Half a step above the largest float32 is where rounding gives an infinity.
    if _OVER <= abs(number) < float("inf"):
        raise ArgumentError(f"{name}: the value is too large; float32 holds numbers up to 3.4e38")
    return number
