"""Weights of TransformerLens models.

TransformerLens has a tensor per projection of all heads, Hugging Face one for the queries, keys and values of all heads together:

=================================  =====================  ======================================================
TransformerLens                    shape                  Hugging Face
=================================  =====================  ======================================================
blocks.0.attn.W_Q, W_K, W_V        [H, D, dh]             h.0.attn.c_attn.weight [D, 3 D]
blocks.0.attn.b_Q, b_K, b_V        [H, dh]                h.0.attn.c_attn.bias [3 D]
blocks.0.attn.W_O, b_O             [H, dh, D], [D]        h.0.attn.c_proj.weight [D, D], .bias [D]
blocks.0.mlp.W_in, b_in            [D, M], [M]            h.0.mlp.c_fc.weight, .bias
blocks.0.mlp.W_out, b_out          [M, D], [D]            h.0.mlp.c_proj.weight, .bias
blocks.0.ln1.w, .b, ln2.w, .b      [D]                    h.0.ln_1.weight, .bias, h.0.ln_2.weight, .bias
ln_final.w, .b                     [D]                    ln_f.weight, .bias
embed.W_E, pos_embed.W_pos         [V, D], [P, D]         wte.weight, wpe.weight
unembed.W_U, b_U                   [D, V], [V]            lm_head.weight [V, D], lm_head.bias; none where W_U is W_E
=================================  =====================  ======================================================

Load the model with ``fold_ln=False`` (``HookedTransformer.from_pretrained_no_processing`` does): a model whose LayerNorms are folded into
the next matrices is another one, whose weights the checkpoint does not have.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from .. import _values
from .._errors import ArgumentError, InputError

_ACTIVATIONS = {"gelu_new": "gelu_new", "gelu": "gelu", "relu": "relu", "gelu_pytorch_tanh": "gelu_new", "gelu_fast": "gelu_new"}


def to_hugging_face(model: Any, tensors: Optional[Mapping[str, Any]] = None) -> Tuple[Dict[str, Any], Dict[str, NDArray[np.float32]]]:
    """The config and tensors of a TransformerLens model, as :meth:`gradpath.Model.from_weights` takes them.

    Args:
        model: A HookedTransformer (anything with ``cfg`` and ``state_dict()``), or its config, as an object or a dict.
        tensors: With a config, the tensors by TransformerLens's names.

    Raises:
        ArgumentError: It is no GPT-2 model, or its LayerNorms are folded.
        InputError: A tensor is missing or of another shape.
    """
    if tensors is None:
        if not hasattr(model, "cfg") or not hasattr(model, "state_dict"):
            raise TypeError("a HookedTransformer is needed, or its config and its tensors")
        tensors, model = model.state_dict(), model.cfg
    cfg = _Config(model)
    cfg.require_gpt2()
    given = _Tensors(tensors)
    given.require_unfolded(cfg)
    made: Dict[str, NDArray[np.float32]] = {
        "wte.weight": given.take("embed.W_E", cfg.vocabulary, cfg.width),
        "wpe.weight": given.take("pos_embed.W_pos", cfg.positions, cfg.width),
        "ln_f.weight": given.take("ln_final.w", cfg.width),
        "ln_f.bias": given.take("ln_final.b", cfg.width),
    }
    for layer in range(cfg.layers):
        made.update(_block(given, cfg, layer))
    tied = _head(given, cfg, made)
    given.require_all_taken()
    return cfg.to_dict(tied), made


class _Config:
    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg
        self.layers, self.heads, self.width = self._number("n_layers"), self._number("n_heads"), self._number("d_model")
        self.positions, self.vocabulary = self._number("n_ctx"), self._number("d_vocab")
        self.head_width = self._number("d_head")
        self.inner = self._number("d_mlp")

    def get(self, name: str, otherwise: Any = None) -> Any:
        value = self._cfg.get(name) if isinstance(self._cfg, Mapping) else getattr(self._cfg, name, None)
        return otherwise if value is None else value

    def require_gpt2(self) -> None:
        if self.get("normalization_type") not in ("LN", "LNPre"):
            raise ArgumentError(f"normalization_type is {self.get('normalization_type')!r}; GPT-2 has LN")
        if self.get("positional_embedding_type", "standard") != "standard":
            raise ArgumentError(f"positional_embedding_type is {self.get('positional_embedding_type')!r}; GPT-2 has standard")
        for name in ("attn_only", "parallel_attn_mlp", "gated_mlp"):
            if self.get(name, False):
                raise ArgumentError(f"{name} is set; GPT-2 is not so")
        if self.get("act_fn") not in _ACTIVATIONS:
            raise ArgumentError(f"act_fn is {self.get('act_fn')!r}; {', '.join(_ACTIVATIONS)} can be run")
        if self.heads * self.head_width != self.width:
            raise ArgumentError(f"{self.heads} heads of width {self.head_width} do not make up the model's width, {self.width}")

    def to_dict(self, tied: bool) -> Dict[str, Any]:
        return {
            "model_type": "gpt2", "n_layer": self.layers, "n_head": self.heads, "n_embd": self.width, "n_inner": self.inner,
            "n_positions": self.positions, "n_ctx": self.positions, "vocab_size": self.vocabulary,
            "layer_norm_epsilon": float(self.get("eps", 1e-5)), "activation_function": _ACTIVATIONS[self.get("act_fn")],
            "tie_word_embeddings": tied,
        }

    def _number(self, name: str) -> int:
        value = self.get(name)
        if not isinstance(value, (int, np.integer)):
            raise ArgumentError(f"the config's {name} is {value!r}; a whole number is needed")
        return int(value)


class _Tensors:
    # Masks and constants that state_dict() has beside the weights.
    _BUFFERS = (".attn.mask", ".attn.IGNORE", ".mlp.IGNORE")

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self._left = {name: value for name, value in tensors.items() if not name.endswith(self._BUFFERS)}

    def require_unfolded(self, cfg: _Config) -> None:
        if cfg.get("normalization_type") == "LNPre" or "ln_final.w" not in self._left:
            raise ArgumentError(
                "the LayerNorms are folded into the weights behind them: load the model with fold_ln=False "
                "(HookedTransformer.from_pretrained_no_processing does so)")

    def has(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        if name not in self._left:
            raise InputError(f"{name}: no such tensor is given")
        array = _values.floats(self._left.pop(name), name)
        if array.shape != shape:
            raise InputError(f"{name}: the shape is {list(array.shape)}; {list(shape)} is needed")
        return array

    def require_all_taken(self) -> None:
        if self._left:
            raise InputError(f"{sorted(self._left)[0]}: GPT-2 has no such tensor; without it another model would run")


def _block(given: _Tensors, cfg: _Config, layer: int) -> Dict[str, NDArray[np.float32]]:
    heads, width, head_width, inner = cfg.heads, cfg.width, cfg.head_width, cfg.inner
    ours, theirs = f"h.{layer}.", f"blocks.{layer}."
    # [H, D, dh] becomes [D, H dh]: a column per head and place.
    matrices = [given.take(f"{theirs}attn.W_{x}", heads, width, head_width).transpose(1, 0, 2).reshape(width, width) for x in "QKV"]
    biases = [given.take(f"{theirs}attn.b_{x}", heads, head_width).reshape(width) for x in "QKV"]
    return {
        f"{ours}ln_1.weight": given.take(f"{theirs}ln1.w", width),
        f"{ours}ln_1.bias": given.take(f"{theirs}ln1.b", width),
        f"{ours}attn.c_attn.weight": np.concatenate(matrices, axis=1),
        f"{ours}attn.c_attn.bias": np.concatenate(biases),
        f"{ours}attn.c_proj.weight": given.take(f"{theirs}attn.W_O", heads, head_width, width).reshape(width, width),
        f"{ours}attn.c_proj.bias": given.take(f"{theirs}attn.b_O", width),
        f"{ours}ln_2.weight": given.take(f"{theirs}ln2.w", width),
        f"{ours}ln_2.bias": given.take(f"{theirs}ln2.b", width),
        f"{ours}mlp.c_fc.weight": given.take(f"{theirs}mlp.W_in", width, inner),
        f"{ours}mlp.c_fc.bias": given.take(f"{theirs}mlp.b_in", inner),
        f"{ours}mlp.c_proj.weight": given.take(f"{theirs}mlp.W_out", inner, width),
        f"{ours}mlp.c_proj.bias": given.take(f"{theirs}mlp.b_out", width),
    }


def _head(given: _Tensors, cfg: _Config, made: Dict[str, NDArray[np.float32]]) -> bool:
    head = given.take("unembed.W_U", cfg.width, cfg.vocabulary)
    bias = given.take("unembed.b_U", cfg.vocabulary) if given.has("unembed.b_U") else np.zeros(cfg.vocabulary, np.float32)
    tied = np.array_equal(head.T, made["wte.weight"])
    if not tied:
        made["lm_head.weight"] = np.ascontiguousarray(head.T)
    if bias.any():
        made["lm_head.bias"] = bias
    return tied
