"""Searches for circuits. Each gives a :class:`Circuit` whose ``details`` say what the search did on the way.

The options are those of the command of the same name, whose ``--help`` describes them; None is the search's own default. What calls raise
is what :func:`gradpath.score` raises.
"""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence, Union

from . import _library, _structs, _values
from ._runs import run
from ._uses import uses
from .circuit import Circuit
from .evaluation import _Result
from .metric import MetricOption, split
from .model import Model
from .progress import ProgressOption
from .prompts import PromptPairs
from .scores import Scores

BatchSize = Union[None, int, str]


def acdc(
    model: Model,
    pairs: PromptPairs,
    *,
    tau: Optional[float] = None,
    metric: MetricOption = None,
    ablation: Optional[str] = None,
    absolute: Optional[bool] = None,
    order: Optional[str] = None,
    candidates: Optional[int] = None,
    scores: Optional[Scores] = None,
    batch_size: BatchSize = None,
    progress: ProgressOption = None,
) -> Circuit:
    """Takes edges away one after the other while the output stays (Conmy et al. 2023).

    Args:
        tau: How much the objective may rise for an edge that is taken away.
        metric: Judge by it instead of by KL from the full model.
        absolute: Count a fall as a rise.
        order: Of the senders: "normal", "reverse" or "score".
        candidates: Edges that are tried at once.
        scores: What the order "score" ranks by.
    """
    return _search(
        "acdc", model, pairs, scores, metric, progress, tau=tau, ablation=ablation, absolute=absolute, order=order, candidates=candidates,
        batch_size=batch_size)


def edge_prune(
    model: Model,
    pairs: PromptPairs,
    *,
    sparsity: Optional[float] = None,
    steps: Optional[int] = None,
    init: Optional[Scores] = None,
    target: Optional[float] = None,
    target_warmup: Optional[int] = None,
    schedule: Optional[str] = None,
    rate_warmup: Optional[int] = None,
    learning_rate: Optional[float] = None,
    multiplier_rate: Optional[float] = None,
    weight_decay: Optional[float] = None,
    max_gradient_norm: Optional[float] = None,
    node_masks: Optional[bool] = None,
    node_target: Optional[float] = None,
    draws: Optional[int] = None,
    ablation: Optional[str] = None,
    batch_size: BatchSize = None,
    seed: Optional[int] = None,
    progress: ProgressOption = None,
) -> Circuit:
    """Learns a mask over all edges (Bhaskar et al. 2024).

    Args:
        sparsity: Share of all edges that the circuit lacks.
        steps: Of training.
        init: Scores that the masks start from.
        draws: Train so many times and keep the circuit of the lowest KL.
    """
    return _search(
        "edge-prune", model, pairs, init, None, progress, sparsity=sparsity, steps=steps, target=target, target_warmup=target_warmup,
        schedule=schedule, rate_warmup=rate_warmup, learning_rate=learning_rate, multiplier_rate=multiplier_rate,
        weight_decay=weight_decay, max_gradient_norm=max_gradient_norm, node_masks=node_masks, node_target=node_target, draws=draws,
        ablation=ablation, batch_size=batch_size, seed=seed)


def hap(
    model: Model,
    pairs: PromptPairs,
    *,
    keep: Optional[float] = None,
    scorer: Optional[str] = None,
    scores: Optional[Scores] = None,
    metric: MetricOption = None,
    sparsity: Optional[float] = None,
    steps: Optional[int] = None,
    target: Optional[float] = None,
    target_warmup: Optional[int] = None,
    schedule: Optional[str] = None,
    rate_warmup: Optional[int] = None,
    learning_rate: Optional[float] = None,
    multiplier_rate: Optional[float] = None,
    weight_decay: Optional[float] = None,
    max_gradient_norm: Optional[float] = None,
    node_masks: Optional[bool] = None,
    node_target: Optional[float] = None,
    draws: Optional[int] = None,
    ablation: Optional[str] = None,
    batch_size: BatchSize = None,
    seed: Optional[int] = None,
    progress: ProgressOption = None,
) -> Circuit:
    """Keeps the strongest edges by their scores and learns a mask over those (Gu et al. 2025).

    Args:
        keep: Share of the edges that the scores keep.
        scorer: The method that scores; "eap" by default.
        scores: Scores that are there already.
        metric: What is scored by.
        sparsity, steps and the rest: As of :func:`edge_prune`.
    """
    return _search(
        "hap", model, pairs, scores, metric, progress, keep=keep, scorer=scorer, sparsity=sparsity, steps=steps, target=target,
        target_warmup=target_warmup, schedule=schedule, rate_warmup=rate_warmup, learning_rate=learning_rate,
        multiplier_rate=multiplier_rate, weight_decay=weight_decay, max_gradient_norm=max_gradient_norm, node_masks=node_masks,
        node_target=node_target, draws=draws, ablation=ablation, batch_size=batch_size, seed=seed)


def path_patch(
    model: Model,
    pairs: PromptPairs,
    *,
    senders: Union[None, str, Sequence[str]] = None,
    receivers: Union[None, str, Sequence[str]] = None,
    positions: Union[None, int, str] = None,
    sender_positions: Union[None, int, str] = None,
    freeze_mlps: Optional[bool] = None,
    rounds: Optional[int] = None,
    threshold: Optional[float] = None,
    top_n: Optional[int] = None,
    metric: MetricOption = None,
    ablation: Optional[str] = None,
    batch_size: BatchSize = None,
    progress: ProgressOption = None,
) -> Circuit:
    """Patches direct paths: what each sender does to the receivers (Wang et al. 2022).

    ``details["rounds"]`` has the effect of every sender. With more than one round the strongest senders are followed backwards, and the
    circuit is the edges that were followed.

    Args:
        senders: "heads", "mlps", "input", or names such as "a9.h6"; all by default.
        receivers: "logits" (default), "m3", "a9.h6.q" and so on.
        positions: Tokens of the receivers: "end" (default), "all", a number, or a name that the prompts have, such as "S2".
        sender_positions: Tokens of the senders; "all" by default.
        freeze_mlps: Keep MLPs between sender and receiver as they are.
        rounds: How many; one by default.
        threshold: Follow senders that change the metric by so many percent.
        top_n: Follow the n strongest senders instead.
    """
    def text(value: Any, name: str) -> Optional[str]:
        return value if value is None or isinstance(value, str) else str(_values.whole(value, name, least=-(1 << 31)))

    return _search(
        "path-patch", model, pairs, None, metric, progress, senders=senders, receivers=receivers, positions=text(positions, "positions"),
        sender_positions=text(sender_positions, "sender_positions"), freeze_mlps=freeze_mlps, rounds=rounds, threshold=threshold,
        top_n=top_n, ablation=ablation, batch_size=batch_size)


def _search(
    name: str, model: Model, pairs: PromptPairs, scores: Optional[Scores], metric: MetricOption, progress: ProgressOption, **options: Any
) -> Circuit:
    if scores is not None and not isinstance(scores, Scores):
        raise TypeError(f"scores must be gradpath.Scores, not {_values.kind_of(scores)}")
    _values.flags(**{name: options.get(name) for name in ("absolute", "node_masks", "freeze_mlps")})
    for several in ("senders", "receivers"):
        options[several] = _values.texts(options.get(several), several)
    named, own = split(metric)
    options["batch_size"] = _values.batch_size(options.get("batch_size"))
    given = _values.options(metric=named, **options)
    called = _values.utf8(name, "name")

    start: Optional[int]

    def work(told: Any) -> Circuit:
        circuit, result = _structs.HANDLE(), _structs.HANDLE()
        _library.call("gradpath_search", on, prompts, *called, *given, start, told, ctypes.byref(circuit), ctypes.byref(result))
        with _Result(result.value or 0) as details:
            return Circuit(circuit.value or 0, details.describe())

    with uses(model, pairs) as (on, prompts):
        if scores is None:
            start = None
            return run(work, metric=own, progress=progress)
        with scores._handle as start:
            return run(work, metric=own, progress=progress)
