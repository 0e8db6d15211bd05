"""The computational graph of a GPT-2 model: its writers, its readers, and which of them are joined by an edge."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, Iterator, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _library, _values
from ._errors import ArgumentError

ARROW = "->"


class Graph:
    """Writers (the input, heads, MLPs) are rows, readers (heads' queries, keys and values, MLPs, the logits) are columns.

    Attributes:
        n_layers, n_heads: The model's shape.
        writers: Names of the F rows: ``input``, ``a0.h0``, ..., ``m0``, ...
        readers: Names of the K columns: ``a0.h0<q>``, ..., ``m0``, ..., ``logits``.
        n_edges: How many pairs of writer and reader are edges.
        mask: bool [F, K], read-only: which pairs are edges.
    """

    def __init__(self, n_layers: int, n_heads: int) -> None:
        named = _library.parsed("gradpath_graph_names", *_shape(n_layers, n_heads))
        self.n_layers = int(n_layers)
        self.n_heads = int(n_heads)
        self.writers: Tuple[str, ...] = tuple(named["writers"])
        self.readers: Tuple[str, ...] = tuple(named["readers"])
        self.n_edges: int = named["n_edges"]
        self._rows: Dict[str, int] = {name: i for i, name in enumerate(self.writers)}
        self._columns: Dict[str, int] = {name: i for i, name in enumerate(self.readers)}
        before = np.array([self._feeds(reader) for reader in self.readers])
        self.mask: NDArray[np.bool_] = _values.frozen(np.arange(len(self.writers))[:, None] < before[None, :])

    @staticmethod
    def of(n_layers: int, n_heads: int) -> "Graph":
        """The graph of so many layers and heads; the same object each time."""
        return _graph(*_shape(n_layers, n_heads))

    @property
    def shape(self) -> Tuple[int, int]:
        """(F, K)."""
        return len(self.writers), len(self.readers)

    def edge(self, row: int, column: int) -> str:
        """The name of an edge: ``a0.h1->a3.h2<q>``."""
        return self.writers[row] + ARROW + self.readers[column]

    def place(self, edge: Union[str, Tuple[str, str]]) -> Tuple[int, int]:
        """Row and column of an edge, by its name or by the names of its writer and reader.

        Raises:
            KeyError: The graph has no such edge; the message says why.
        """
        writer, reader = _parts(edge)
        row, column = self._rows.get(writer), self._columns.get(reader)
        if row is None:
            raise KeyError(f"{edge}: {writer!r} is no writer of {self}; writers are input, a0.h0, m0 and so on")
        if column is None:
            hint = "; a head's reader needs <q>, <k> or <v>" if reader in self._rows else ""
            raise KeyError(f"{edge}: {reader!r} is no reader of {self}; readers are a0.h0<q>, m0, logits and so on{hint}")
        if not self.mask[row, column]:
            raise KeyError(f"{edge}: {writer} does not feed {reader}")
        return row, column

    def names(self, mask: NDArray[np.bool_]) -> Iterator[str]:
        """Names of the marked edges of a bool [F, K], row by row."""
        for row, column in zip(*np.nonzero(mask)):
            yield self.edge(int(row), int(column))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and (self.n_layers, self.n_heads) == (other.n_layers, other.n_heads)

    def __hash__(self) -> int:
        return hash((self.n_layers, self.n_heads))

    def __repr__(self) -> str:
        return "Graph(" + ", ".join(
            _values.count(n, what) for n, what in ((self.n_layers, "layer"), (self.n_heads, "head"), (self.n_edges, "edge"))) + ")"

    def _feeds(self, reader: str) -> int:
        # How many rows feed a reader: those before its own layer; for an MLP its layer's heads too.
        if reader == "logits":
            return len(self.writers)
        if reader[0] == "m":
            return self._rows[reader]
        return self._rows[reader[: reader.index(".")] + ".h0"]


def _shape(n_layers: Any, n_heads: Any) -> Tuple[int, int]:
    layers, heads = _values.whole(n_layers, "n_layers", 1), _values.whole(n_heads, "n_heads", 1)
    for name, value in (("n_layers", layers), ("n_heads", heads)):
        if value >= 1 << 31:
            raise ArgumentError(f"{name} is {value}; a number from 1 to {(1 << 31) - 1} is needed")
    return layers, heads


@lru_cache(maxsize=16)
def _graph(n_layers: int, n_heads: int) -> Graph:
    return Graph(n_layers, n_heads)


def _parts(edge: Union[str, Tuple[str, str]]) -> Tuple[str, str]:
    if isinstance(edge, str):
        writer, arrow, reader = edge.partition(ARROW)
        if not arrow:
            raise KeyError(f"{edge!r} is no edge; its name has the form a0.h1->m2")
        return writer, reader
    if isinstance(edge, tuple) and len(edge) == 2 and all(isinstance(part, str) for part in edge):
        return edge
    raise TypeError(f"an edge is named by a str such as 'a0.h1->m2', or by a writer and a reader, not by {edge!r}")
