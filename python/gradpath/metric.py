"""Metrics of the caller's own: functions of a run's logits."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs, _values

MetricFunction = Callable[[NDArray[np.float32], NDArray[np.float32], int, Optional[NDArray[np.float32]]], float]


class Metric:
    """A metric of the caller's, judged at the last position of each prompt pair.

    Calls that take ``metric=`` take such a function as it is; this class also says how it is called and what it means.

    Args:
        function: ``function(logits, clean_logits, pair, gradient)`` gives the value, a finite float. ``logits`` and ``clean_logits`` are
            float32 ``[n_vocabulary]``, of the run and of the full model on the clean prompt; ``pair`` is the pair's place from 0,
            by which ``pairs.ids(model)[pair]`` has its answers (ask for the list once, before the run);
            ``gradient`` is float32 ``[n_vocabulary]`` zeros, into which the derivative of the value by the logits is to be written, or
            None where nothing needs it. The function may be called in another thread, what it raises is raised by the call, and it
            cannot begin a run of its own: that raises :class:`Busy`.
        name: What result files call the metric; by default the function's name.
        loss: Less is better.
        distance: The value is a distance from the clean run: 0 there, and nowhere less.

    Scores are of a loss: minus the metric, or the metric itself where ``loss`` is set.
    """

    function: Any = None
    name = "custom"
    traits = 0

    def __init__(self, function: MetricFunction, name: Optional[str] = None, *, loss: bool = False, distance: bool = False) -> None:
        if not callable(function):
            raise TypeError(f"a metric must be a name or a function, not {_values.kind_of(function)}")
        _values.flags(loss=loss, distance=distance)
        if name is not None:
            _values.named(name, "the metric's name")
        self.function = function
        self.name = name or getattr(function, "__name__", "custom").strip("<>") or "custom"
        self.traits = (_structs.METRIC_LOSS if loss else 0) | (_structs.METRIC_DISTANCE if distance else 0)

    def __repr__(self) -> str:
        return f"Metric({self.name})"

    def judge(self, pair: int, logits: Any, clean: Any, vocabulary: int, gradient: Any) -> float:
        """Calls the function with copies of what the library hands over, which is good for this call alone."""
        slope = np.zeros(vocabulary, np.float32) if gradient else None
        value = float(self.function(_copy(logits, vocabulary), _copy(clean, vocabulary), pair, slope))
        if slope is not None:
            ctypes.memmove(gradient, _values.address(slope), slope.nbytes)
        return value


def _copy(values: Any, count: int) -> NDArray[np.float32]:
    array = np.empty(count, np.float32)
    ctypes.memmove(_values.address(array), values, array.nbytes)
    return array


MetricOption = Union[None, str, Metric, MetricFunction]


def split(metric: MetricOption) -> Tuple[Optional[str], Optional[Metric]]:
    """The name of a metric of the library's, or a metric of the caller's."""
    if metric is None:
        return None, None
    if isinstance(metric, str):
        return _values.named(metric, "metric"), None
    own = metric if isinstance(metric, Metric) else Metric(metric)
    if not callable(own.function):
        raise TypeError(f"{type(own).__name__} has no function: its __init__ must call super().__init__(function)")
    return None, own
