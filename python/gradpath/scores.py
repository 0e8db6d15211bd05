"""Scores of edges, and how they are made."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library, _structs, _tables, _values
from ._errors import ArgumentError
from ._handles import Owner
from ._runs import run
from .circuit import Circuit
from .graph import Graph
from .metric import MetricOption, split
from .model import Model
from .progress import ProgressOption
from .prompts import PromptPairs

Nodes = Optional[np.ndarray]


class ScoredEdge(NamedTuple):
    """An edge by its name, and its score."""

    edge: str
    score: float


class Scores(Owner):
    """A score for every edge of a model's graph, float32 [F, K]: a row per writer, a column per reader, 0 where there is no edge.

    A positive score says that corrupting the edge hurts. Scores are made by :func:`score`, :meth:`load` and :meth:`from_matrix`.
    """

    _KIND = "scores"

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self._matrix: Optional[np.ndarray] = None

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
        return cls(_library.opened("gradpath_scores_from_values", graph.n_layers, graph.n_heads, values.ctypes.data, values.size))

    @classmethod
    def from_edges(cls, scores: Mapping[str, float], n_layers: int, n_heads: int) -> "Scores":
        """Takes scores by the names of edges; edges that are not named have 0.

        Raises:
            KeyError: The graph has no such edge.
        """
        graph = Graph.of(n_layers, n_heads)
        matrix = np.zeros(graph.shape, np.float32)
        for name, value in scores.items():
            matrix[graph.place(name)] = value
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
        return Graph.of(self._fact("n_layers"), self._fact("n_heads"))

    @property
    def matrix(self) -> np.ndarray:
        """The scores, float32 [F, K], read-only. It is the library's own memory, which lives as long as the array does."""
        with self._handle as handle:
            if self._matrix is None:
                address, count = ctypes.c_void_p(), _structs.SIZE()
                _library.call("gradpath_scores_data", handle, ctypes.byref(address), ctypes.byref(count))
                memory = (ctypes.c_float * count.value).from_address(address.value or 0)
                self._handle.keep(memory)
                array = np.frombuffer(memoryview(memory), np.float32).reshape(self.graph.shape)
                array.flags.writeable = False
                self._matrix = array
        return self._matrix

    @property
    def node_scores(self) -> Nodes:
        """Scores of writers as nodes, float32 [F]; None where the method gives none."""
        if not self._fact("has_node_scores"):
            return None
        values = np.empty(len(self.graph.writers), np.float32)
        with self._handle as handle:
            _library.call("gradpath_scores_nodes", handle, values.ctypes.data, values.size, None)
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
        return self._fact("provenance")

    def __getitem__(self, edge: Union[str, Tuple[str, str]]) -> float:
        """The score of an edge: ``scores["a0.h1->m2"]`` or ``scores["a0.h1", "m2"]``."""
        place = self.graph.place(edge)
        return float(self.matrix[place])

    def __len__(self) -> int:
        return self.graph.n_edges

    def top(self, n: int = 20, *, signed: bool = False) -> List[ScoredEdge]:
        """The n strongest edges by |score|, or by the score itself; ties by their place."""
        graph, matrix = self.graph, self.matrix
        rows, columns = np.nonzero(graph.mask)
        values = matrix[rows, columns]
        order = np.argsort(-(values if signed else np.abs(values)), kind="stable")[: max(0, n)]
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
        return self._select(top_n=n, signed=signed, prune=prune or fill, fill=fill or None)

    def greedy(self, n: int, *, signed: bool = False, prune: bool = False, fill: bool = False) -> Circuit:
        """n edges from the logits backwards, each the strongest of those that lead into what is there; arguments as of :meth:`top_n`."""
        return self._select(greedy=n, signed=signed, prune=prune or fill, fill=fill or None)

    def threshold(self, least: float, *, signed: bool = False, prune: bool = False) -> Circuit:
        """All edges with |score| (or score) of at least this much."""
        return self._select(threshold=least, signed=signed, prune=prune)

    def nodes(self, n: int, *, signed: bool = False, prune: bool = False) -> Circuit:
        """The edges among the n strongest nodes.

        Raises:
            InputError: There are no scores of nodes.
        """
        return self._select(nodes=n, signed=signed, prune=prune)

    def _select(self, **options: Any) -> Circuit:
        with self._handle as handle:
            return Circuit(_library.opened("gradpath_circuit_select", handle, *_values.options(**options)))

    def to_pandas(self) -> Any:
        """A DataFrame with a row per edge: edge, writer, reader, score.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        graph = self.graph
        rows, columns = np.nonzero(graph.mask)
        return pandas.DataFrame({
            "edge": [graph.edge(r, c) for r, c in zip(rows, columns)],
            "writer": [graph.writers[r] for r in rows],
            "reader": [graph.readers[c] for c in columns],
            "score": self.matrix[rows, columns],
        })

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        matrix = self.matrix
        return matrix.astype(dtype) if copy or (dtype is not None and dtype != matrix.dtype) else matrix

    def __repr__(self) -> str:
        if self.closed:
            return "Scores(closed)"
        made = (self.provenance or {}).get("method")
        return f"Scores({self.graph.n_edges} edges{f', {made}' if made else ''})"

    def _repr_html_(self) -> str:
        return _tables.scores(self)


def score(
    model: Model,
    pairs: PromptPairs,
    method: str = "eap-ig",
    *,
    steps: Optional[int] = None,
    metric: MetricOption = None,
    ablation: Optional[str] = None,
    ig_points: Optional[str] = None,
    preset: Optional[str] = None,
    path_objective: Optional[str] = None,
    path_norm: Optional[str] = None,
    path_eta: Optional[str] = None,
    path_start: Optional[str] = None,
    path_direction: Optional[str] = None,
    path_outer: Optional[str] = None,
    normalization: Optional[str] = None,
    batch_size: Union[None, int, str] = None,
    seed: Optional[int] = None,
    of: Optional[Sequence[str]] = None,
    by: Optional[str] = None,
    progress: ProgressOption = None,
) -> Scores:
    """Scores every edge of the model's graph on prompt pairs.

    The options are those of ``gradpath score``, whose ``--help`` describes them; None is the method's own default.

    Args:
        method: A name of :func:`gradpath.methods`: "eap", "eap-ig", "eap-gp", "exact", ...
        steps: Points between the runs, for the methods that have some.
        metric: A name of :func:`gradpath.metrics`, a function, or a :class:`Metric`; by default the task's own.
        ablation: What a corrupted edge carries: "patching", "zero" or "mean-positional".
        ig_points: Where EAP-IG's points lie.
        preset, path_objective, path_norm, path_eta, path_start, path_direction, path_outer: The path of EAP-GP.
        normalization: "item", or "library" for the EAP-IG library's numbers (with ``batch_size``).
        batch_size: Pairs per batch; by default as many as the device's memory allows.
        seed: Of the method "random".
        of, by: Members of "ensemble", and how it combines their ranks.
        progress: None for a line of our own from the second second on, where someone sees it; False for nothing; or a function
            (done, total, stage), which may be called in another thread.

    Raises:
        ArgumentError: An option is unknown or does not go with the method.
        InputError: The pairs cannot be used with the model, or lack the answers that the metric needs.
        Busy: Another thread's run is on the device.
        KeyboardInterrupt: Ctrl-C was pressed; the run has ended.
    """
    named, own = split(metric)
    options = _values.options(
        method=method, metric=named, steps=steps, ablation=ablation, ig_points=ig_points, preset=preset, path_objective=path_objective,
        path_norm=path_norm, path_eta=path_eta, path_start=path_start, path_direction=path_direction, path_outer=path_outer,
        normalization=normalization, batch_size=_values.batch_size(batch_size), seed=seed, of=of, by=by)
    with _uses(model, pairs) as (on, prompts):
        return run(
            lambda told: Scores(_library.opened("gradpath_score", on, prompts, *options, told)), metric=own, progress=progress)


class _uses:
    """The handles of a model and of prompt pairs that are prepared for it, in use."""

    def __init__(self, model: Model, pairs: PromptPairs) -> None:
        if not isinstance(model, Model):
            raise TypeError(f"model must be a gradpath.Model, not {type(model).__name__}")
        if not isinstance(pairs, PromptPairs):
            raise TypeError(f"pairs must be gradpath.PromptPairs, not {type(pairs).__name__}")
        self._model = model._handle
        self._prompts = pairs.prepare(model)._handle

    def __enter__(self) -> Tuple[int, int]:
        model = self._model.__enter__()
        try:
            return model, self._prompts.__enter__()
        except BaseException:
            self._model.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self._prompts.__exit__()
        self._model.__exit__()


def as_list(value: Any, kind: type, name: str) -> Tuple[List[Any], bool]:
    """One object or several, as a list, and whether it was one.

    Raises:
        TypeError: One is of another kind.
        ArgumentError: There is none.
    """
    alone = isinstance(value, kind)
    items = [value] if alone else list(value) if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)) else [value]
    for item in items:
        if not isinstance(item, kind):
            raise TypeError(f"{name} must be {kind.__name__} or a list of them, not {type(item).__name__}")
    if not items:
        raise ArgumentError(f"{name} is empty; at least one is needed")
    return items, alone
