"""What several calls take: a model with prompt pairs, one object or a list of them."""

from __future__ import annotations

from typing import Any, List, Tuple

from . import _values
from ._errors import ArgumentError
from ._handles import Owner
from .model import Model
from .prompts import PromptPairs


class uses:
    """The handles of a model and of prompt pairs that are prepared for it, in use."""

    def __init__(self, model: Model, pairs: PromptPairs) -> None:
        if not isinstance(model, Model):
            raise TypeError(f"model must be a gradpath.Model, not {_values.kind_of(model)}")
        if not isinstance(pairs, PromptPairs):
            raise TypeError(f"pairs must be gradpath.PromptPairs, not {_values.kind_of(pairs)}")
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
    what = f"{kind.__name__} or a list of them"
    if isinstance(value, Owner) and not alone:
        raise TypeError(f"{name} must be {what}, not {_values.kind_of(value)}")
    items = [value] if alone else _values.rows(value, name, what)
    for i, item in enumerate(items):
        if not isinstance(item, kind):
            raise TypeError(f"{name}[{i}] must be {kind.__name__}, not {_values.kind_of(item)}")
    if not items:
        raise ArgumentError(f"{name} is empty; at least one is needed")
    return items, alone
