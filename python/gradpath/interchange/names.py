"""Edges as ACDC and auto-circuit call them.

All three agree on what an edge is, a writer's output as a reader takes it in:

==================  =======================================================  ====================
Gradpath            ACDC (TransformerLens hooks)                             auto-circuit
==================  =======================================================  ====================
input (writer)      blocks.0.hook_resid_pre [:]                              Resid Start
a3.h1 (writer)      blocks.3.attn.hook_result [:, :, 1]                      A3.1
m3 (writer)         blocks.3.hook_mlp_out [:]                                MLP 3
a3.h1<q> (reader)   blocks.3.hook_q_input [:, :, 1]                          A3.1.Q
m3 (reader)         blocks.3.hook_mlp_in [:] (before: hook_resid_mid)        MLP 3
logits (reader)     blocks.11.hook_resid_post [:], of the last layer         Resid End
==================  =======================================================  ====================

ACDC names an edge by four things, the reader first: its hook, its index, the writer's hook, its index. An index is a tuple such as (None,
None, 1), or an object with such a ``hashable_tuple``. ACDC has further edges inside of a head and an MLP, from a hook of an input to what
is computed of it; they are no edges here and become None.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, List, Optional, Tuple

from .._errors import ArgumentError
from ..graph import ARROW, Graph

AcdcIndex = Tuple[Optional[int], ...]
AcdcEdge = Tuple[str, AcdcIndex, str, AcdcIndex]

_WHOLE: AcdcIndex = (None,)
# Hooks of what is inside of a head or an MLP, which are readers of nothing but their own input.
_INSIDE = re.compile(r"blocks\.\d+\.attn\.hook_[qkv]$")
_INPUTS = re.compile(r"blocks\.\d+\.(hook_[qkv]_input|hook_mlp_in|hook_resid_mid)$")


def to_acdc(edge: str, n_layers: int) -> AcdcEdge:
    """An edge as ACDC names it: (reader, index, writer, index).

    Raises:
        ArgumentError: It is no edge's name.
    """
    writer, reader = _split(edge)
    return (*_acdc_reader(reader, n_layers), *_acdc_writer(writer))


def from_acdc(edge: Iterable[Any], n_layers: int) -> Optional[str]:
    """The name of one of ACDC's edges; None for those inside of a head or an MLP.

    Raises:
        ArgumentError: It is none of ACDC's edges.
    """
    parts = list(edge)
    if len(parts) != 4:
        raise ArgumentError(f"{edge!r}: an edge of ACDC has four parts, the reader's hook and index and the writer's")
    reader, reader_index, writer, writer_index = parts
    if _INSIDE.match(reader) or _INSIDE.match(writer) or (reader.endswith("hook_mlp_out") and _INPUTS.match(writer)):
        return None
    return _of_acdc_writer(writer, _tuple(writer_index)) + ARROW + _of_acdc_reader(reader, _tuple(reader_index), n_layers)


def to_auto_circuit(edge: str) -> str:
    """An edge as auto-circuit names it: ``A0.1->A3.2.Q``.

    Raises:
        ArgumentError: It is no edge's name.
    """
    writer, reader = _split(edge)
    return _auto_node(writer, "Resid Start", "input") + ARROW + _auto_node(reader, "Resid End", "logits")


def from_auto_circuit(name: str) -> str:
    """The name of one of auto-circuit's edges.

    Raises:
        ArgumentError: It is none.
    """
    writer, arrow, reader = str(name).partition(ARROW)
    if not arrow:
        raise ArgumentError(f"{name!r} is no edge of auto-circuit; its name has the form A0.1->A3.2.Q")
    return _of_auto(writer, "Resid Start", "input") + ARROW + _of_auto(reader, "Resid End", "logits")


def acdc_edges(edges: Iterable[str], n_layers: int) -> List[AcdcEdge]:
    """Many edges, such as a circuit's, as ACDC names them."""
    return [to_acdc(edge, n_layers) for edge in edges]


def circuit_from_acdc(edges: Iterable[Iterable[Any]], n_layers: int, n_heads: int) -> Any:
    """A :class:`gradpath.Circuit` of the edges that ACDC has kept; those inside of heads and MLPs are left out."""
    from ..circuit import Circuit

    return Circuit.from_edges([n for n in (from_acdc(e, n_layers) for e in edges) if n is not None], n_layers, n_heads)


def circuit_from_auto_circuit(edges: Iterable[Any], n_layers: int, n_heads: int) -> Any:
    """A :class:`gradpath.Circuit` of auto-circuit's edges, or of their names."""
    from ..circuit import Circuit

    return Circuit.from_edges([from_auto_circuit(edge) for edge in edges], n_layers, n_heads)


def all_edges(graph: Graph) -> List[str]:
    """Names of all edges of a graph, row by row."""
    return list(graph.names(graph.mask))


def _split(edge: str) -> Tuple[str, str]:
    writer, arrow, reader = edge.partition(ARROW)
    if not arrow:
        raise ArgumentError(f"{edge!r} is no edge; its name has the form a0.h1->m2")
    return writer, reader


def _match(pattern: str, text: str) -> Tuple[str, ...]:
    found = re.fullmatch(pattern, text)
    return found.groups() if found else ()


def _acdc_writer(writer: str) -> Tuple[str, AcdcIndex]:
    if writer == "input":
        return "blocks.0.hook_resid_pre", _WHOLE
    if found := _match(r"a(\d+)\.h(\d+)", writer):
        return f"blocks.{found[0]}.attn.hook_result", (None, None, int(found[1]))
    if found := _match(r"m(\d+)", writer):
        return f"blocks.{found[0]}.hook_mlp_out", _WHOLE
    raise ArgumentError(f"{writer!r} is no writer")


def _acdc_reader(reader: str, n_layers: int) -> Tuple[str, AcdcIndex]:
    if reader == "logits":
        return f"blocks.{n_layers - 1}.hook_resid_post", _WHOLE
    if found := _match(r"a(\d+)\.h(\d+)<([qkv])>", reader):
        return f"blocks.{found[0]}.hook_{found[2]}_input", (None, None, int(found[1]))
    if found := _match(r"m(\d+)", reader):
        return f"blocks.{found[0]}.hook_mlp_in", _WHOLE
    raise ArgumentError(f"{reader!r} is no reader")


def _of_acdc_writer(hook: str, index: AcdcIndex) -> str:
    if hook in ("blocks.0.hook_resid_pre", "hook_embed"):
        return "input"
    if found := _match(r"blocks\.(\d+)\.attn\.hook_result", hook):
        return f"a{found[0]}.h{_head(hook, index)}"
    if found := _match(r"blocks\.(\d+)\.hook_mlp_out", hook):
        return f"m{found[0]}"
    if hook == "hook_pos_embed":
        raise ArgumentError(f"{hook}: positions are no writer here; build ACDC's graph with use_pos_embed=False")
    raise ArgumentError(f"{hook!r} is no writer of ACDC's")


def _of_acdc_reader(hook: str, index: AcdcIndex, n_layers: int) -> str:
    if found := _match(r"blocks\.(\d+)\.hook_([qkv])_input", hook):
        return f"a{found[0]}.h{_head(hook, index)}<{found[1]}>"
    if found := _match(r"blocks\.(\d+)\.hook_(?:mlp_in|resid_mid)", hook):
        return f"m{found[0]}"
    if hook == f"blocks.{n_layers - 1}.hook_resid_post":
        return "logits"
    raise ArgumentError(f"{hook!r} is no reader of ACDC's in a model of {n_layers} layers")


def _head(hook: str, index: AcdcIndex) -> int:
    if len(index) == 3 and isinstance(index[2], int):
        return index[2]
    raise ArgumentError(f"{hook}: the index is {index!r}; one such as (None, None, 3) is needed, which names a head")


def _tuple(index: Any) -> AcdcIndex:
    return tuple(getattr(index, "hashable_tuple", index))


def _auto_node(node: str, outer: str, name: str) -> str:
    if node == name:
        return outer
    if found := _match(r"m(\d+)", node):
        return f"MLP {found[0]}"
    if found := _match(r"a(\d+)\.h(\d+)(?:<([qkv])>)?", node):
        if (found[2] is None) == (name == "input"):
            return f"A{found[0]}.{found[1]}" + (f".{found[2].upper()}" if found[2] else "")
    raise ArgumentError(f"{node!r} is no {'writer' if name == 'input' else 'reader'}")


def _of_auto(node: str, outer: str, name: str) -> str:
    if node == outer:
        return name
    if found := _match(r"MLP (\d+)", node):
        return f"m{found[0]}"
    if found := _match(r"A(\d+)\.(\d+)(?:\.([QKV]))?", node):
        if (found[2] is None) == (name == "input"):
            return f"a{found[0]}.h{found[1]}" + (f"<{found[2].lower()}>" if found[2] else "")
    raise ArgumentError(f"{node!r} is no {'writer' if name == 'input' else 'reader'} of auto-circuit's")
