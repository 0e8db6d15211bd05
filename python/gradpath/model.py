"""Models on a device."""

from __future__ import annotations

import weakref
from typing import Any, Mapping, Optional, Union

from . import _library, _places, _values, _weights
from ._errors import InputError, warn
from ._handles import Owner
from .device import Device, DeviceOption, device_of
from .graph import Graph
from .tokenizer import Tokenizer


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
        on = device_of(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        given, length = _values.path(_places.carried(path), "the model's path")
        with on._handle as handle:
            value = _library.opened("gradpath_model_open", handle, given, length)
        model = cls(value, on, given.decode())
        warn(model._fact("warnings"))
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
        shape = _weights.config_of(config)
        arrays = {key: _values.floats(value, key) for key, value in _weights.used(shape, tensors).items()}
        on = device_of(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        text = _values.to_json(shape, "config")
        called = (None, 0) if name is None else _values.utf8(name, "name")
        rows, kept = _weights.rows_of(arrays)
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
    def tokenizer(self) -> Tokenizer:
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
