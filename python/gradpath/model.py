"""Models on a device."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from typing import Any, List, Mapping, Optional, Union

from . import _library, _places, _values, _weights
from ._errors import InputError, warn
from ._handles import Owner
from ._runs import run
from .device import Device, DeviceOption, device_of
from .graph import Graph
from .tokenizer import Tokenizer


class Model(Owner):
    """A GPT-2 model on a device. Use it in a ``with`` block, or :meth:`close` it; forgotten, it closes itself."""

    _KIND = "model"
    _INSTEAD = "open the model there, with gradpath.Model.open or Model.from_weights"
    # What a model has that was never opened.
    _device: Optional[Device] = None
    _tokenizer: Optional[Tokenizer] = None
    _prepared: "weakref.WeakKeyDictionary[Any, Owner]" = weakref.WeakKeyDictionary()

    def __init__(self, value: int, device: Device, vocabulary: Any) -> None:
        super().__init__(value)
        self._device = device
        # Where it is read from when it is asked for, or the caller's own.
        self._vocabulary = vocabulary
        # The prompts that were prepared for this model, by the pairs that they were made of.
        self._prepared = weakref.WeakKeyDictionary()

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
            Busy: A callback of a run is at work.
            KeyboardInterrupt: Ctrl-C was pressed; nothing is left open.
        """
        on = device_of(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        given, length = _values.path(_places.carried(path), "the model's path")
        with on._handle as handle:
            model = run(
                lambda told: cls(_library.opened("gradpath_model_open", handle, given, length, told), on, given.decode()), progress=False)
        warn(model._fact("warnings", list))
        return model

    @classmethod
    def from_weights(
        cls,
        config: Any,
        tensors: Mapping[str, Any],
        *,
        name: Optional[str] = None,
        vocabulary: Any = None,
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
            vocabulary: What texts become token ids by: a :class:`Tokenizer`, or the checkpoint whose vocabulary it is, named as for
                :meth:`open`. Without it prompts are token ids.
            device, threads, memory, precision, gemm: As of :meth:`open`.

        Raises:
            InputError: A tensor is missing, too much, of another shape, or not finite; or the vocabulary cannot be used.
            TypeError: A tensor is no array of floating-point numbers.
        """
        shape = _weights.config_of(config)
        arrays = {key: _values.floats(value, key) for key, value in _weights.used(shape, tensors).items()}
        on = device_of(device, threads=threads, memory=memory, precision=precision, gemm=gemm)
        text = _values.to_json(shape, "config")
        called = (None, 0) if name is None else _values.line(name, "name")
        own = None if vocabulary is None or isinstance(vocabulary, Tokenizer) else Tokenizer.open(vocabulary)
        given = own or vocabulary
        rows, kept = _weights.rows_of(arrays)
        with ExitStack() as used:
            handle = used.enter_context(on._handle)
            words = None if given is None else used.enter_context(given._handle)
            value = _library.opened("gradpath_model_from_weights", handle, *text, rows, len(arrays), *called, words)
        del kept
        model = cls(value, on, vocabulary)
        model._tokenizer = own
        warn(model._fact("warnings", list))
        warn(_too_large(given, model))
        return model

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
        return self._fact("name", str)

    @property
    def device(self) -> Device:
        """The device that it is on."""
        if self._device is None:
            # Raises, because such a model was never opened.
            self._handle.__enter__()
        assert self._device is not None
        return self._device

    @property
    def n_layers(self) -> int:
        """Layers."""
        return self._fact("n_layers", int)

    @property
    def n_heads(self) -> int:
        """Heads of a layer."""
        return self._fact("n_heads", int)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self._fact("d_model", int)

    @property
    def n_vocabulary(self) -> int:
        """Tokens of the vocabulary."""
        return self._fact("n_vocabulary", int)

    @property
    def n_positions(self) -> int:
        """The longest prompt, in tokens."""
        return self._fact("n_positions", int)

    @property
    def graph(self) -> Graph:
        """The model's writers, readers and edges."""
        return Graph.of(self.n_layers, self.n_heads)

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's vocabulary.

        Raises:
            InputError: It has none: it was made of tensors alone, or its directory holds no vocabulary.
        """
        if not self._fact("has_vocabulary", bool):
            raise InputError(f"{self.name} has no vocabulary: name tokens by their ids")
        if isinstance(self._vocabulary, Tokenizer):
            return self._vocabulary
        if self._tokenizer is None or self._tokenizer.closed:
            self._tokenizer = Tokenizer.open(self._vocabulary)
        return self._tokenizer

    def close(self) -> None:
        """Gives up the model's memory, and the prompts that were prepared for it; not a vocabulary that was handed to it."""
        super().close()
        for owned in [*self._prepared.values(), *([self._tokenizer] if self._tokenizer else [])]:
            owned.close()
        self._prepared.clear()

    def __repr__(self) -> str:
        if self.closed:
            return "Model(closed)"
        size = f"{_values.count(self.n_layers, 'layer')}, {_values.count(self.n_heads, 'head')}, width {self.d_model}"
        return f"Model({self.name}: {size}, on {self.device.name})"


def _too_large(vocabulary: Optional[Tokenizer], model: Model) -> List[str]:
    tokens = 0 if vocabulary is None else vocabulary.n_vocabulary
    if tokens <= model.n_vocabulary:
        return []
    had = _values.count(tokens, "token")
    return [f"the vocabulary has {had} and the model has {model.n_vocabulary}: texts with the others cannot be used"]
