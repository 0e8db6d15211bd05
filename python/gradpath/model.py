"""Devices and the models on them."""

from __future__ import annotations

import ctypes
import json
import threading
import warnings
import weakref
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library, _structs, _values
from ._errors import ArgumentError, InputError, InputWarning
from ._handles import Owner
from .graph import Graph


class Device(Owner):
    """What computes: the CPU's cores, or one GPU. A device takes one run at a time; two devices run in two threads."""

    _KIND = "device"
    _open: "weakref.WeakValueDictionary[Tuple[Any, ...], Device]" = weakref.WeakValueDictionary()
    _opening = threading.Lock()

    @classmethod
    def open(
        cls,
        name: str = "auto",
        *,
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
        precision: Optional[str] = None,
        gemm: Optional[str] = None,
    ) -> "Device":
        """The device of this name and these options, one for the whole process.

        Args:
            name: ``auto`` (the GPU with the most free memory, else the CPU), ``cpu``, ``cuda`` or ``cuda:1``.
            threads: Threads of the CPU; by default one per core.
            memory: What batches are planned by, in bytes or as "6GiB"; by default what the device has.
            precision: Of matrix products on a GPU: ``fp32``, ``tf32`` or ``bf16``.
            gemm: How a GPU multiplies matrices: ``own``, ``ffma`` or ``cublas``.

        Raises:
            ArgumentError: There is no such device, or an option does not go with it.
            DeviceError: The GPU cannot be used.
        """
        bytes_ = _values.memory(memory)
        given, length = _values.utf8(name, "device")
        options = _values.options(threads=threads, memory=bytes_, precision=precision, gemm=gemm)
        key = (name.lower(), threads, bytes_, precision, gemm)
        with cls._opening:
            known = cls._open.get(key)
            if known is not None and not known.closed:
                return known
            made = cls(_library.opened("gradpath_device_open", given, length, *options))
            if name.lower() == "auto":
                named = cls._open.get((made.name, *key[1:]))
                if named is not None and not named.closed:
                    made.close()
                    made = named
                else:
                    cls._open[(made.name, *key[1:])] = made
            cls._open[key] = made
            return made

    @property
    def name(self) -> str:
        """``cpu``, or ``cuda:0`` and so on."""
        return self._fact("name")

    def __repr__(self) -> str:
        return "Device(closed)" if self.closed else f"Device({self.name}: {self._fact('description')})"


DeviceOption = Union[str, Device]


def _device(device: DeviceOption, **options: Any) -> Device:
    if not isinstance(device, Device):
        return Device.open(device, **options)
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ArgumentError(f"{given[0]}: the device is open already; say so where it is opened")
    return device


class Model(Owner):
    """A GPT-2 model on a device. Use it in a ``with`` block, or :meth:`close` it; forgotten, it closes itself."""

    _KIND = "model"

    def __init__(self, value: int, device: Device, path: Optional[str]) -> None:
        super().__init__(value)
        self._device = device
        self._path = path
        self._tokenizer: Optional[Tokenizer] = None
        # The prompts that were prepared for this model, by the pairs that they were made of.
        self._prepared: "weakref.WeakKeyDictionary[Any, Owner]" = weakref.WeakKeyDictionary()

    @classmethod
    def open(
        cls,
        path: Any,
        *,
        device: DeviceOption = "auto",
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
        precision: Optional[str] = None,
        gemm: Optional[str] = None,
    ) -> "Model":
        """Opens a checkpoint.

        Args:
            path: A directory in Hugging Face's layout (config.json, model.safetensors or shards, vocabulary), ``demo``, or a name such as
                ``gpt2`` that is in ``models/`` or in the local Hugging Face cache. Nothing is downloaded.
            device, threads, memory, precision, gemm: As of :meth:`Device.open`; devices are shared by all models of the process.

        Raises:
            InputError: There is no such model, or its files cannot be used; the message lists where it was looked for.
            DeviceError, OutOfMemory: The device cannot be used, or has no room for it.
        """
        on = _device(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        given, length = _values.path(_carried(path), "the model's path")
        with on._handle as handle:
            value = _library.opened("gradpath_model_open", handle, given, length)
        model = cls(value, on, given.decode())
        _warn(model._fact("warnings"))
        return model

    @classmethod
    def from_weights(
        cls,
        config: Any,
        tensors: Mapping[str, Any],
        *,
        name: Optional[str] = None,
        device: DeviceOption = "auto",
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
        precision: Optional[str] = None,
        gemm: Optional[str] = None,
    ) -> "Model":
        """Makes a model of tensors in memory, which are copied.

        Args:
            config: What config.json has: a dict, its text, or an object with ``to_dict()`` such as a transformers config.
            tensors: By their names in Hugging Face checkpoints, with or without ``transformer.``: ``wte.weight`` [V, D],
                ``h.0.attn.c_attn.weight`` [D, 3 D] (matrices are [in, out]) and so on. numpy arrays, torch tensors, or anything with
                ``__array__`` or ``__dlpack__``; float16, bfloat16 and float64 become float32, gaps are closed. A ``state_dict()`` is fine:
                masks in it are left out, and so is ``lm_head.weight`` where it equals ``wte.weight`` of a tied model.
            name: What result files call the model.
            device, threads, memory, precision, gemm: As of :meth:`open`.

        The model has no vocabulary: prompts for it are token ids.

        Raises:
            InputError: A tensor is missing, too much, of another shape, or not finite.
            TypeError: A tensor is no array of floating-point numbers.
        """
        shape = _config(config)
        arrays = {key: _values.floats(value, key) for key, value in _used(shape, tensors).items()}
        on = _device(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        text = _values.to_json(shape, "config")
        called = (None, 0) if name is None else _values.utf8(name, "name")
        rows, kept = _rows(arrays)
        with on._handle as handle:
            value = _library.opened("gradpath_model_from_weights", handle, *text, rows, len(arrays), *called)
        del kept
        return cls(value, on, None)

    @classmethod
    def from_transformer_lens(cls, model: Any, tensors: Optional[Mapping[str, Any]] = None, **options: Any) -> "Model":
        """Makes a model of a TransformerLens one, or of its config and tensors; options are those of :meth:`from_weights`.

        See :func:`gradpath.interchange.transformer_lens.to_hugging_face`. Load it there with ``fold_ln=False``.
        """
        from .interchange.transformer_lens import to_hugging_face

        config, arrays = to_hugging_face(model, tensors)
        return cls.from_weights(config, arrays, **options)

    @property
    def name(self) -> str:
        """What result files call the model."""
        return self._fact("name")

    @property
    def device(self) -> Device:
        """The device that it is on."""
        return self._device

    @property
    def n_layers(self) -> int:
        """Layers."""
        return self._fact("n_layers")

    @property
    def n_heads(self) -> int:
        """Heads of a layer."""
        return self._fact("n_heads")

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self._fact("d_model")

    @property
    def n_vocabulary(self) -> int:
        """Tokens of the vocabulary."""
        return self._fact("n_vocabulary")

    @property
    def n_positions(self) -> int:
        """The longest prompt, in tokens."""
        return self._fact("n_positions")

    @property
    def graph(self) -> Graph:
        """The model's writers, readers and edges."""
        return Graph.of(self.n_layers, self.n_heads)

    @property
    def tokenizer(self) -> "Tokenizer":
        """The model's vocabulary.

        Raises:
            InputError: It has none: it was made of tensors, or its directory holds no vocabulary.
        """
        if self._tokenizer is None or self._tokenizer.closed:
            if self._path is None or not self._fact("has_vocabulary"):
                raise InputError(f"{self.name} has no vocabulary: name tokens by their ids")
            self._tokenizer = Tokenizer.open(self._path)
        return self._tokenizer

    def close(self) -> None:
        """Gives up the model's memory, and the prompts that were prepared for it."""
        super().close()
        for owned in [*self._prepared.values(), *([self._tokenizer] if self._tokenizer else [])]:
            owned.close()
        self._prepared.clear()

    def __repr__(self) -> str:
        if self.closed:
            return "Model(closed)"
        return f"Model({self.name}: {self.n_layers} layers, {self.n_heads} heads, width {self.d_model}, on {self._device.name})"


class Tokenizer(Owner):
    """A vocabulary: text to token ids and back, as Hugging Face's GPT-2 tokenizer does it."""

    _KIND = "tokenizer"

    @classmethod
    def open(cls, path: Any) -> "Tokenizer":
        """Opens the vocabulary of a checkpoint, named as for :meth:`Model.open`.

        Raises:
            InputError: It has none, or one that cannot be used.
        """
        return cls(_library.opened("gradpath_tokenizer_open", *_values.path(_carried(path), "the tokenizer's path")))

    @property
    def n_vocabulary(self) -> int:
        """Tokens of the vocabulary."""
        return self._fact("n_vocabulary")

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int32 [n]. No begin token is put in front."""
        given, length = _values.utf8(text, "text")
        # No token is less than a byte.
        ids = np.empty(length + 1, np.int32)
        count = _structs.SIZE()
        with self._handle as handle:
            _library.call("gradpath_tokenizer_encode", handle, given, length, ids.ctypes.data, len(ids), ctypes.byref(count))
        return ids[: count.value].copy()

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids.

        Raises:
            ArgumentError: The vocabulary has no such id.
            TypeError: They are no whole numbers.
        """
        array = token_ids(ids, "ids")
        with self._handle as handle:
            return _library.text("gradpath_tokenizer_decode", handle, array.ctypes.data, len(array))

    def token(self, text: str) -> int:
        """The id of a text that is one token, such as " Mary".

        Raises:
            ArgumentError: It is several tokens, or none.
        """
        ids = self.encode(text)
        if len(ids) != 1:
            raise ArgumentError(f"{text!r} is {len(ids)} tokens; one is needed")
        return int(ids[0])


def token_ids(value: Any, name: str) -> np.ndarray:
    """Token ids as int32 [n].

    Raises:
        TypeError: They are no whole numbers.
        ArgumentError: One does not fit into int32, or they are no list.
    """
    array = _values.as_array(value, name)
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: the dtype is {array.dtype}; token ids are whole numbers")
    if array.ndim != 1:
        raise ArgumentError(f"{name}: the shape is {list(array.shape)}; one list of ids is needed")
    if int(array.min()) < -(1 << 31) or int(array.max()) >= 1 << 31:
        raise ArgumentError(f"{name}: token ids fit into 32 bits; {int(array.max())} does not")
    return np.ascontiguousarray(array, np.int32)


def _warn(messages: List[str]) -> None:
    for message in messages:
        warnings.warn(message, InputWarning, stacklevel=4)


def _carried(path: Any) -> Any:
    # The small model that the wheel carries; a folder of that name at hand goes first, as on the command line.
    own = Path(__file__).parent / "models" / "demo"
    return own if path == "demo" and not Path("demo").is_dir() and (own / "model.safetensors").is_file() else path


def _config(config: Any) -> Dict[str, Any]:
    if hasattr(config, "to_dict"):
        config = config.to_dict()
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError as e:
            raise ArgumentError(f"config: {e}; the text of a config.json is needed") from None
    if not isinstance(config, Mapping):
        raise TypeError(f"config must be a dict, a JSON text or a transformers config, not {type(config).__name__}")
    return dict(config)


def _used(config: Mapping[str, Any], tensors: Mapping[str, Any]) -> Dict[str, Any]:
    if not isinstance(tensors, Mapping):
        raise TypeError(f"tensors must be a dict of arrays by name, not {type(tensors).__name__}")
    used = {}
    for name, value in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"tensors: a name must be a str, not {type(name).__name__}")
        if not name.endswith((".attn.bias", ".attn.masked_bias")):
            used[name] = value
    if config.get("tie_word_embeddings", True) and "lm_head.weight" in used:
        embedding = used.get("wte.weight", used.get("transformer.wte.weight"))
        if embedding is not None and _equal(embedding, used["lm_head.weight"]):
            del used["lm_head.weight"]
    return used


def _equal(a: Any, b: Any) -> bool:
    return a is b or np.array_equal(_values.as_array(a, "wte.weight"), _values.as_array(b, "lm_head.weight"))


def _rows(arrays: Mapping[str, np.ndarray]) -> Tuple[Any, List[Any]]:
    rows = (_structs.Tensor * len(arrays))()
    kept: List[Any] = [arrays]
    for row, (name, array) in zip(rows, arrays.items()):
        encoded, row.name_length = _values.utf8(name, "a tensor's name")
        shape = (ctypes.c_uint64 * max(array.ndim, 1))(*array.shape)
        row.name = encoded
        row.data = array.ctypes.data
        row.shape = shape
        row.rank = array.ndim
        kept.extend((encoded, shape))
    return rows, kept
