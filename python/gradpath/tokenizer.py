"""Vocabularies."""

from __future__ import annotations

import ctypes
import numbers
from typing import Any, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _library, _places, _structs, _values
from ._errors import ArgumentError
from ._handles import Owner


class Tokenizer(Owner):
    """A vocabulary: text to token ids and back, as Hugging Face's GPT-2 tokenizer does it."""

    _KIND = "tokenizer"
    _INSTEAD = "open the vocabulary there, with gradpath.Tokenizer.open"

    @classmethod
    def open(cls, path: Any) -> "Tokenizer":
        """Opens the vocabulary of a checkpoint, named as for :meth:`Model.open`.

        Raises:
            InputError: It has none, or one that cannot be used.
        """
        return cls(_library.opened("gradpath_tokenizer_open", *_values.path(_places.carried(path), "the tokenizer's path")))

    @property
    def n_vocabulary(self) -> int:
        """Tokens of the vocabulary."""
        return self._fact("n_vocabulary", int)

    def encode(self, text: str) -> NDArray[np.int32]:
        """The ids of a text, int32 [n]. No begin token is put in front."""
        given, length = _values.utf8(text, "text")
        # No token is less than a byte.
        ids = np.empty(length + 1, np.int32)
        count = _structs.SIZE()
        with self._handle as handle:
            _library.call("gradpath_tokenizer_encode", handle, given, length, _values.address(ids), len(ids), ctypes.byref(count))
        return ids[: count.value].copy()

    def decode(self, ids: Union[Sequence[int], NDArray[Any]]) -> str:
        """The text of ids.

        Raises:
            ArgumentError: The vocabulary has no such id.
            TypeError: They are no whole numbers.
        """
        array = token_ids(ids, "ids")
        with self._handle as handle:
            return _library.text("gradpath_tokenizer_decode", handle, _values.address(array), len(array))

    def token(self, text: str) -> int:
        """The id of a text that is one token, such as " Mary".

        Raises:
            ArgumentError: It is several tokens, or none.
        """
        ids = self.encode(text)
        if len(ids) != 1:
            raise ArgumentError(f"{_values.shortened(text)} is {_values.count(len(ids), 'token')}; one is needed")
        return int(ids[0])

    def __repr__(self) -> str:
        return "Tokenizer(closed)" if self.closed else f"Tokenizer({_values.count(self.n_vocabulary, 'token')})"


def token_ids(value: Any, name: str) -> NDArray[np.int32]:
    """Token ids as int32 [n].

    Raises:
        TypeError: They are no whole numbers.
        ArgumentError: One does not fit into int32, or they are no list.
    """
    if isinstance(value, (list, tuple)) and any(_is_large(v) for v in value):
        raise ArgumentError(f"{name}: token ids fit into 32 bits; one of them does not")
    array = _values.as_array(value, name)
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: the dtype is {array.dtype}; token ids are whole numbers")
    if array.ndim != 1:
        raise ArgumentError(f"{name}: the shape is {list(array.shape)}; one list of ids is needed")
    # Not array.min(), which imports a module, and a finaliser cannot.
    least, most = int(np.minimum.reduce(array)), int(np.maximum.reduce(array))
    if _is_large(least) or _is_large(most):
        raise ArgumentError(f"{name}: token ids fit into 32 bits; {least if _is_large(least) else most} does not")
    return np.ascontiguousarray(array, np.int32)


def _is_large(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not -(1 << 31) <= int(value) < 1 << 31
