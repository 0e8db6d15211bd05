"""Python values as the library takes them: texts, paths, options, arrays."""

from __future__ import annotations

import json
import operator
import os
import re
from collections.abc import Mapping, Set
from typing import Any, Dict, List, Optional, Tuple

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
        raise TypeError(f"{name} must be a str, not {kind_of(text)}")
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
    given = os.fspath(value) if isinstance(value, (str, os.PathLike)) else value
    if not isinstance(given, str):
        raise TypeError(f"{name} must be a path (str or os.PathLike), not {kind_of(given)}")
    return line(given, name)


def line(text: Any, name: str) -> Tuple[bytes, int]:
    """A text without zero bytes, such as a name or a path, as bytes with their number.

    Raises:
        TypeError: It is no text.
        ArgumentError: It holds a zero byte, or is not Unicode.
    """
    encoded = utf8(text, name)
    if "\0" in text:
        raise ArgumentError(f"{name} holds a zero byte")
    return encoded


def named(text: Any, name: str) -> str:
    """The name of something that the library has, such as a method.

    Raises:
        TypeError: It is no text.
        ArgumentError: It is empty, holds a zero byte, or is not Unicode.
    """
    line(text, name)
    if not text.strip():
        raise ArgumentError(f"{name} is empty; a name is needed")
    return str(text)


def kind_of(value: Any) -> str:
    """What a value is, for messages."""
    return "None" if value is None else type(value).__name__


def count(number: int, thing: str) -> str:
    """A number of things: "1 layer", "2 layers"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def shortened(text: str, most: int = 60) -> str:
    """A text for messages, between quotes, without the rest of a long one."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def whole(value: Any, name: str, least: int = 0) -> int:
    """A whole number.

    Raises:
        TypeError: It is none.
        ArgumentError: It is less than ``least``.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        given = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {kind_of(value)}") from None
    if given < least:
        raise ArgumentError(f"{name} is {given}; a number from {least} on is needed")
    return given


def flags(**given: Any) -> None:
    """Checks that arguments are True or False, or None where they are left to the library.

    Raises:
        TypeError: One is something else.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, not {value!r:.40}")


def rows(value: Any, name: str, what: str) -> List[Any]:
    """The entries of a list, a tuple, an array or whatever else has an order.

    Raises:
        TypeError: It has none, is one text, or is a masked array.
    """
    refuse_mask(value, name)
    if isinstance(value, (str, bytes, bytearray, Mapping, Set)) or not hasattr(value, "__iter__") or getattr(value, "ndim", 1) == 0:
        shape = " without dimensions" if isinstance(value, np.ndarray) else ""
        raise TypeError(f"{name} must be {what}, not {kind_of(value)}{shape}")
    return list(value)


def texts(value: Any, name: str) -> Any:
    """One text or several, for an option that names things; None is None.

    Raises:
        TypeError: It is something else.
        ArgumentError: There is none.
    """
    if value is None or isinstance(value, str):
        return value
    given = sorted(value, key=str) if isinstance(value, Set) else rows(value, name, "a str or a list of them")
    for i, text in enumerate(given):
        line(text, f"{name}[{i}]")
    if not given:
        raise ArgumentError(f"{name} is empty; at least one name is needed")
    return given


def refuse_mask(value: Any, name: str) -> None:
    """Refuses a masked array.

    Raises:
        TypeError: It is one: what it holds behind its mask is not meant, and the library has no masks.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and masks are not used: filled() or compressed() make one without")


def options(**given: Any) -> Tuple[Optional[bytes], int]:
    """Options as a JSON object with its length in bytes; those that are None are left out."""
    used = {k: v for k, v in given.items() if v is not None}
    if not used:
        return None, 0
    for name, value in used.items():
        if isinstance(value, str):
            line(value, name)
        else:
            to_json(value, name)
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
    except TypeError as e:
        raise TypeError(f"{name}: {e}") from None
    return utf8(encoded, name)


def _plain(value: Any) -> Any:
    refuse_mask(value, "the value")
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "__iter__") and not isinstance(value, (bytes, bytearray, Mapping, Set)):
        return list(value)
    raise TypeError(f"a value of the type {type(value).__name__} cannot be used; numbers, texts and lists of them can")


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
    size = float(match[1]) * unit if match and unit else float("inf")
    if size == float("inf"):
        raise ArgumentError(f"memory {value!r}: a number of bytes, or a size such as 512MiB or 6GiB is needed")
    return int(size)


def floats(value: Any, name: str) -> NDArray[np.float32]:
    """Anything like an array as float32, row-major and without gaps: a copy only where it is not that already.

    numpy arrays, torch tensors (also on a GPU or with a gradient), and whatever has ``__array__`` or ``__dlpack__``. float16, bfloat16 and
    float64 are converted.

    Raises:
        TypeError: It is no array, or not one of floating-point numbers.
        ArgumentError: A number is too large for float32.
    """
    array = as_array(value, name)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise TypeError(f"{name}: the dtype is {array.dtype}; floating-point numbers are needed (float32, float16, float64)")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype.itemsize > 4:
        large = np.argwhere(np.isinf(converted) & np.isfinite(array).reshape(converted.shape))
        if len(large):
            place = tuple(int(i) for i in large[0])
            raise ArgumentError(f"{name}{list(place)} is {array.reshape(converted.shape)[place]:g}; float32 holds numbers up to 3.4e38")
    return converted


def address(array: NDArray[Any]) -> int:
    """Where an array's values lie. Its attribute ``ctypes`` says it too, and imports a module for it, which a finaliser cannot."""
    found: int = array.__array_interface__["data"][0]
    return found


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that nobody can write to, not even who sets its flags."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def as_array(value: Any, name: str) -> NDArray[Any]:
    """Anything like an array as a numpy array, without importing the library that it comes from."""
    refuse_mask(value, name)
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
    raise TypeError(f"{name} must be an array (numpy, torch, __array__ or __dlpack__), not {kind_of(value)}")


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
