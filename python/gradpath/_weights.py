"""Tensors and configs in memory, as the library takes them."""

from __future__ import annotations

import ctypes
import json
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _structs, _values
from ._errors import ArgumentError


def config_of(config: Any) -> Dict[str, Any]:
    """What config.json has, from a dict, its text, or an object with ``to_dict()``."""
    if hasattr(config, "to_dict"):
        config = config.to_dict()
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError as e:
            raise ArgumentError(f"config: {e}; the text of a config.json is needed") from None
    if not isinstance(config, Mapping):
        raise TypeError(f"config must be a dict, a JSON text or a transformers config, not {_values.kind_of(config)}")
    return dict(config)


def used(config: Mapping[str, Any], tensors: Mapping[str, Any]) -> Dict[str, Any]:
    """The tensors that a model is made of, without the masks and the tied head that a ``state_dict()`` has beside them."""
    if not isinstance(tensors, Mapping):
        raise TypeError(f"tensors must be a dict of arrays by name, not {_values.kind_of(tensors)}")
    kept = {}
    for name, value in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"tensors: a name must be a str, not {type(name).__name__}")
        if not name.endswith((".attn.bias", ".attn.masked_bias")):
            kept[name] = value
    if config.get("tie_word_embeddings", True) and "lm_head.weight" in kept:
        embedding = kept.get("wte.weight", kept.get("transformer.wte.weight"))
        if embedding is not None and _equal(embedding, kept["lm_head.weight"]):
            del kept["lm_head.weight"]
    return kept


def _equal(a: Any, b: Any) -> bool:
    return a is b or np.array_equal(_values.as_array(a, "wte.weight"), _values.as_array(b, "lm_head.weight"))


def rows_of(arrays: Mapping[str, NDArray[np.float32]]) -> Tuple[Any, List[Any]]:
    """An array of gradpath_tensor, and what must live as long as it is used."""
    rows = (_structs.Tensor * len(arrays))()
    kept: List[Any] = [arrays]
    for row, (name, array) in zip(rows, arrays.items()):
        encoded, row.name_length = _values.utf8(name, "a tensor's name")
        shape = (ctypes.c_uint64 * max(array.ndim, 1))(*array.shape)
        row.name = encoded
        row.data = _values.address(array)
        row.shape = shape
        row.rank = array.ndim
        kept.extend((encoded, shape))
    return rows, kept
