"""How faithful circuits are."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _library, _structs, _values
from ._errors import ArgumentError
from ._handles import Owner
from ._runs import run
from ._uses import as_list, uses
from .circuit import Circuit
from .metric import MetricOption, split
from .model import Model
from .progress import ProgressOption
from .prompts import PromptPairs
from .scores import Scores


Fractions = Union[None, Sequence[float], NDArray[Any]]


class _Result(Owner):
    _KIND = "result"


@dataclass(frozen=True)
class PairResults:
    """What an evaluation found of each of N prompt pairs. NaN where there is no number."""

    ids: List[str] = field(repr=False)
    """Names of the pairs; where they have none, their places from 1."""
    full: NDArray[np.float64] = field(repr=False)
    """The metric of the full model, float64 [N]."""
    circuit: NDArray[np.float64] = field(repr=False)
    """The metric of the circuit, float64 [N]."""
    empty: NDArray[np.float64] = field(repr=False)
    """The metric with every edge ablated, float64 [N]."""
    kl: NDArray[np.float64] = field(repr=False)
    """KL(full model || circuit) at the last position in nats, float64 [N]."""
    exact_match: NDArray[np.bool_] = field(repr=False)
    """Whether circuit and full model have the same most probable token, bool [N]."""
    accurate: NDArray[np.bool_] = field(repr=False)
    """Whether the circuit's most probable token is a right answer, bool [N]."""
    small_effect: NDArray[np.bool_] = field(repr=False)
    """Whether full model and empty circuit differ by less than a tenth of the mean, bool [N]."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found of one circuit, means over the prompt pairs. NaN where there is no number."""

    faithfulness: float
    """(m(circuit) - m(empty)) / (m(full) - m(empty))."""
    low: float
    """Lower end of its 95 % bootstrap interval."""
    high: float
    """Upper end."""
    kl: float
    """KL(full model || circuit) in nats."""
    full: float
    """The metric of the full model."""
    circuit: float
    """The metric of the circuit."""
    empty: float
    """The metric with every edge ablated."""
    exact_match: float
    """Share of pairs on which circuit and full model have the same most probable token."""
    accuracy: float
    """Share of pairs on which the circuit's most probable token is a right answer."""
    n_edges: int
    n_nodes: int
    pairs: PairResults = field(repr=False)
    provenance: Dict[str, Any] = field(repr=False)

    def _repr_html_(self) -> str:
        names = ("faithfulness", "low", "high", "kl", "full", "circuit", "empty", "exact_match", "accuracy", "n_edges", "n_nodes")
        return "<table>" + "".join(f"<tr><th>{n}</th><td>{getattr(self, n):.4g}</td></tr>" for n in names) + "</table>"


@dataclass(frozen=True)
class CurvePoints:
    """Faithfulness over the sizes of circuits that were cut from scores, P points."""

    fractions: NDArray[np.float64]
    """Shares of all edges, float64 [P]."""
    n_edges: NDArray[np.int64]
    """Edges selected, int64 [P]."""
    n_edges_after_prune: NDArray[np.int64]
    """Edges that pruning leaves, int64 [P]."""
    faithfulness: NDArray[np.float64]
    """float64 [P]."""
    low: NDArray[np.float64]
    """Lower ends of 95 % bootstrap intervals, float64 [P]."""
    high: NDArray[np.float64]
    """Upper ends, float64 [P]."""


@dataclass(frozen=True)
class Curve:
    """Faithfulness over sizes for one set of scores, and the areas of the MIB benchmark."""

    cpr: float
    """Area under the faithfulness of circuits that are ranked by score; larger is better."""
    cmd: float
    """Area between 1 and the faithfulness of circuits that are ranked by |score|; smaller is better."""
    by_score: CurvePoints = field(repr=False)
    by_magnitude: CurvePoints = field(repr=False)
    full: float = field(repr=False)
    """The metric of the full model."""
    empty: float = field(repr=False)
    """The metric with every edge ablated."""
    method: Optional[str] = None
    provenance: Dict[str, Any] = field(default_factory=dict, repr=False)


@overload
def evaluate(
    model: Model, pairs: PromptPairs, circuits: Circuit, *, metric: MetricOption = ..., ablation: Optional[str] = ...,
    batch_size: Union[None, int, str] = ..., seed: Optional[int] = ..., progress: ProgressOption = ...
) -> Evaluation: ...


@overload
def evaluate(
    model: Model, pairs: PromptPairs, circuits: Sequence[Circuit], *, metric: MetricOption = ..., ablation: Optional[str] = ...,
    batch_size: Union[None, int, str] = ..., seed: Optional[int] = ..., progress: ProgressOption = ...
) -> List[Evaluation]: ...


def evaluate(
    model: Model,
    pairs: PromptPairs,
    circuits: Union[Circuit, Sequence[Circuit]],
    *,
    metric: MetricOption = None,
    ablation: Optional[str] = None,
    batch_size: Union[None, int, str] = None,
    seed: Optional[int] = None,
    progress: ProgressOption = None,
) -> Any:
    """Runs circuits with every other edge ablated, and says how faithful they are.

    Args:
        circuits: One circuit, or several, which are run together.
        metric, batch_size, progress: As of :func:`gradpath.score`.
        ablation: What an edge outside carries: "patching", "zero" or "mean-positional".
        seed: Of the intervals.

    Returns:
        An :class:`Evaluation` for one circuit, a list of them for several.

    Raises:
        ArgumentError, InputError, Busy, KeyboardInterrupt: As of :func:`gradpath.score`.
    """
    given, alone = as_list(circuits, Circuit, "circuits")
    named, own = split(metric)
    options = _values.options(metric=named, ablation=ablation, batch_size=_values.batch_size(batch_size), seed=seed)
    found = _measure("gradpath_evaluate", model, pairs, given, options, own, progress)
    made = [_evaluation(row, found["gradpath"]) for row in found["circuits"]]
    return made[0] if alone else made


@overload
def curve(
    model: Model, pairs: PromptPairs, scores: Scores, *, fractions: Fractions = ..., greedy: bool = ...,
    metric: MetricOption = ..., ablation: Optional[str] = ...,
    batch_size: Union[None, int, str] = ..., seed: Optional[int] = ..., progress: ProgressOption = ...
) -> Curve: ...


@overload
def curve(
    model: Model, pairs: PromptPairs, scores: Sequence[Scores], *, fractions: Fractions = ..., greedy: bool = ...,
    metric: MetricOption = ..., ablation: Optional[str] = ...,
    batch_size: Union[None, int, str] = ..., seed: Optional[int] = ..., progress: ProgressOption = ...
) -> List[Curve]: ...


def curve(
    model: Model,
    pairs: PromptPairs,
    scores: Union[Scores, Sequence[Scores]],
    *,
    fractions: Fractions = None,
    greedy: bool = False,
    metric: MetricOption = None,
    ablation: Optional[str] = None,
    batch_size: Union[None, int, str] = None,
    seed: Optional[int] = None,
    progress: ProgressOption = None,
) -> Any:
    """Cuts circuits of many sizes from scores and measures the faithfulness of each.

    Args:
        scores: One set of scores, or several.
        fractions: Sizes as shares of all edges; by default those of the MIB benchmark.
        greedy: Cut greedily instead of by rank.
        metric, ablation, batch_size, seed, progress: As of :func:`evaluate`.

    Returns:
        A :class:`Curve` for one set of scores, a list of them for several.
    """
    given, alone = as_list(scores, Scores, "scores")
    _values.flags(greedy=greedy)
    if fractions is not None:
        fractions = _values.rows(fractions, "fractions", "a list of numbers")
        if not fractions:
            raise ArgumentError("fractions is empty; at least one size is needed")
    named, own = split(metric)
    options = _values.options(
        fractions=fractions, greedy=greedy or None, metric=named, ablation=ablation, batch_size=_values.batch_size(batch_size), seed=seed)
    found = _measure("gradpath_curve", model, pairs, given, options, own, progress)
    made = [_curve(row, found) for row in found["curves"]]
    return made[0] if alone else made


def _measure(
    function: str, model: Model, pairs: PromptPairs, objects: Sequence[Owner], options: Tuple[Any, Any], metric: Any, progress: Any
) -> Dict[str, Any]:
    with ExitStack() as stack:
        on, prompts = stack.enter_context(uses(model, pairs))
        handles = (_structs.HANDLE * len(objects))(*[stack.enter_context(o._handle) for o in objects])
        result = run(
            lambda told: _Result(_library.opened(function, on, prompts, handles, len(objects), *options, told)),
            metric=metric, progress=progress)
    with result:
        return result.describe()


def _evaluation(row: Mapping[str, Any], made: Dict[str, Any]) -> Evaluation:
    items = row["items"]
    low, high = row["faithfulness_ci"]
    pairs = PairResults(
        ids=[item["id"] for item in items], full=_numbers(items, "full"), circuit=_numbers(items, "circuit"),
        empty=_numbers(items, "empty"), kl=_numbers(items, "kl"), exact_match=_flags(items, "exact_match"),
        accurate=_flags(items, "accurate"), small_effect=_flags(items, "small_effect"))
    return Evaluation(
        faithfulness=number(row["faithfulness"]), low=number(low), high=number(high), kl=number(row["kl"]), full=number(row["full"]),
        circuit=number(row["circuit"]), empty=number(row["empty"]), exact_match=number(row["exact_match"]),
        accuracy=number(row["accuracy"]), n_edges=row["n_edges"], n_nodes=row["n_nodes"],
        pairs=pairs, provenance=made)


def _curve(row: Mapping[str, Any], found: Mapping[str, Any]) -> Curve:
    return Curve(
        cpr=number(row["cpr"]), cmd=number(row["cmd"]), by_score=_points(row["by_score"]), by_magnitude=_points(row["by_magnitude"]),
        full=number(found["full"]), empty=number(found["empty"]), method=row["method"], provenance=found["gradpath"])


def _points(rows: Sequence[Mapping[str, Any]]) -> CurvePoints:
    return CurvePoints(
        fractions=_numbers(rows, "fraction"),
        n_edges=np.array([row["n_edges"] for row in rows], np.int64),
        n_edges_after_prune=np.array([row["n_edges_after_prune"] for row in rows], np.int64),
        faithfulness=_numbers(rows, "faithfulness"),
        low=_numbers(rows, "low"),
        high=_numbers(rows, "high"))


def _numbers(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    return np.array([number(row[name]) for row in rows], np.float64)


def _flags(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.bool_]:
    return np.array([row[name] for row in rows], np.bool_)


def number(value: Optional[float]) -> float:
    """A number of a result; NaN where it has none."""
    return float("nan") if value is None else float(value)
