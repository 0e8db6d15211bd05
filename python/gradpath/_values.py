"""Python values as the library takes them: texts, paths, options, arrays."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._errors import ArgumentError

_UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def utf8(text: Any, name: str) -> Tuple[bytes, int]:
    """A text as bytes with their number.

    Raises:
        TypeError: It is no text.
        ArgumentError: It holds half of a surrogate pair, which no encoding has.
    """
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, not {type(text).__name__}")
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise ArgumentError(f"{name} holds half of a surrogate pair at character {e.start}: it is not Unicode text") from None
    return encoded, len(encoded)


def path(value: Any, name: str = "path") -> Tuple[bytes, int]:
    """A path as bytes with their number. It may be a str or anything with ``__fspath__``.

    Raises:
        TypeError: It is neither.
        ArgumentError: It holds a zero byte or is not Unicode.
    """
    try:
        given = os.fspath(value)
    except TypeError:
        raise TypeError(f"{name} must be a path (str or os.PathLike), not {type(value).__name__}") from None
    if isinstance(given, bytes):
        given = os.fsdecode(given)
    if "\0" in given:
        raise ArgumentError(f"{name} holds a zero byte")
    return utf8(given, name)


def options(**given: Any) -> Tuple[Optional[bytes], int]:
    """Options as a JSON object with its length in bytes; those that are None are left out."""
    used = {k: v for k, v in given.items() if v is not None}
    if not used:
        return None, 0
    return to_json(used, "options")


def to_json(value: Any, name: str) -> Tuple[bytes, int]:
    """A value as JSON in UTF-8 with its length.

    Raises:
        TypeError: Something in it has no form in JSON.
        ArgumentError: It holds NaN, an infinity or a text that is not Unicode.
    """
    try:
        encoded = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        raise ArgumentError(f"{name}: NaN, an infinity or a loop is among the values; finite numbers are needed") from None
    return utf8(encoded, name)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be an option")


def batch_size(value: Any) -> Optional[int]:
    """A batch size; "auto" and None are as many as memory allows."""
    return None if value == "auto" else value


def memory(value: Any) -> Optional[int]:
    """Bytes, from a number or from a text such as "6GiB".

    Raises:
        ArgumentError: The text is no such size.
    """
    if value is None or not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise ArgumentError(f"memory {value!r}: a number of bytes, or a size such as 512MiB or 6GiB is needed")
    return int(float(match[1]) * unit)


def floats(value: Any, name: str) -> NDArray[np.float32]:
    """Anything like an array as float32, row-major and without gaps: a copy only where it is not that already.

    numpy arrays, torch tensors (also on a GPU or with a gradient), and whatever has ``__array__`` or ``__dlpack__``. float16, bfloat16 and
    float64 are converted.

    Raises:
        TypeError: It is no array, or not one of floating-point numbers.
    """
    array = as_array(value, name)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise TypeError(f"{name}: the dtype is {array.dtype}; floating-point numbers are needed (float32, float16, float64)")
    return np.ascontiguousarray(array, dtype=np.float32)


def as_array(value: Any, name: str) -> NDArray[Any]:
    """Anything like an array as a numpy array, without importing the library that it comes from."""
    if isinstance(value, np.ndarray):
        return value
    for step in ("detach", "cpu"):
        method = getattr(value, step, None)
        if callable(method):
            value = method()
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":
        value = value.float()
    if hasattr(value, "__array__"):
        return np.asarray(value)
    if hasattr(value, "__dlpack__") and hasattr(np, "from_dlpack"):
        return np.from_dlpack(value)
    if isinstance(value, (list, tuple, memoryview)):
        return np.asarray(value)
    raise TypeError(f"{name} must be an array (numpy, torch, __array__ or __dlpack__), not {type(value).__name__}")


def matrix(value: Any, dtype: Any, shape: Tuple[int, int], name: str) -> NDArray[Any]:
    """A matrix of a graph, row-major and without gaps.

    Raises:
        ArgumentError: The shape is another.
        TypeError: The values are of another kind.
    """
    array = as_array(value, name)
    if dtype == np.float32:
        array = floats(array, name)
    elif array.dtype.kind != "b":
        raise TypeError(f"{name}: the dtype is {array.dtype}; bool is needed")
    if array.shape != shape:
        raise ArgumentError(f"{name}: the shape is {list(array.shape)}; [{shape[0]}, {shape[1]}] is needed: writers x readers")
    return np.ascontiguousarray(array)


def names(rows: Any) -> Dict[str, int]:
    """Places by name."""
    return {name: i for i, name in enumerate(rows)}
