"""Scoring: what makes scores of a model and prompt pairs."""

from __future__ import annotations

from typing import Optional, Sequence, Union

from . import _library, _values
from ._runs import run
from ._uses import uses
from .metric import MetricOption, split
from .model import Model
from .progress import ProgressOption
from .prompts import PromptPairs
from .scores import Scores


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
        progress: None for a line that appears after one second, where someone sees it; False for nothing; or a function
            (done, total, stage), which may be called in another thread.

    Raises:
        ArgumentError: An option is unknown or does not go with the method.
        InputError: The pairs cannot be used with the model, or lack the answers that the metric needs.
        Busy: Another thread's run is on the device.
        KeyboardInterrupt: Ctrl-C was pressed; the run has ended.
    """
    named, own = split(metric)
    options = _values.options(
        method=_values.named(method, "method"), metric=named, steps=steps, ablation=ablation, ig_points=ig_points, preset=preset,
        path_objective=path_objective,
        path_norm=path_norm, path_eta=path_eta, path_start=path_start, path_direction=path_direction, path_outer=path_outer,
        normalization=normalization, batch_size=_values.batch_size(batch_size), seed=seed, of=_values.texts(of, "of"), by=by)
    with uses(model, pairs) as (on, prompts):
        return run(
            lambda told: Scores(_library.opened("gradpath_score", on, prompts, *options, told)), metric=own, progress=progress)
