"""Folders as the circuit track of the MIB benchmark takes them.

A submission has a folder per task and model, such as ``ioi_gpt2``, with either one file of scores for every edge, or nine files of
circuits, with at most 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 and 50 percent of the edges. Files are JSON in the EAP-IG library's format. Of its
models GPT-2 runs here, of its tasks IOI is done with it; a whole submission needs two models and two tasks.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple, Union

from .. import _values
from .._errors import ArgumentError, InputError
from ..circuit import Circuit
from ..scores import Scores

PERCENTS: Tuple[float, ...] = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def write_submission(folder: Any, given: Union[Scores, Sequence[Circuit]], task: str = "ioi", model: str = "gpt2") -> Path:
    """Writes the folder of one task and model.

    Args:
        folder: The submission's folder; ``task_model`` in it is made, and must be empty.
        given: Scores, or the nine circuits; :func:`cut` makes them of scores.

    Returns:
        The folder of the task and model.

    Raises:
        ArgumentError: There are not nine circuits, or one has more edges than its place allows.
        InputError: The folder holds something already.
    """
    for name, value in (("task", task), ("model", model)):
        if not re.fullmatch(r"[A-Za-z0-9.-]+", value):
            raise ArgumentError(f"{name} is {value!r}; letters, digits, dots and dashes are needed, because it names a folder")
    files: Dict[str, Union[Scores, Circuit]] = {}
    if isinstance(given, Scores):
        files["importances.json"] = given
    else:
        for percent, circuit in zip(PERCENTS, _fitting(list(given))):
            files[f"{percent:g}.json"] = circuit
    target = Path(folder) / f"{task}_{model}"
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"{target} is not empty: name another folder")
    target.mkdir(parents=True, exist_ok=True)
    for name, thing in files.items():
        thing.save(target / name)
    return target


def read_submission(folder: Any) -> Union[Scores, List[Circuit]]:
    """What the folder of one task and model holds: scores, or circuits with the smallest first.

    Raises:
        InputError: It holds neither.
    """
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        other = " (files of torch, .pt, can be read with the EAP-IG library: Graph.from_pt(path).to_json(...))" if any(
            Path(folder).glob("*.pt")) else ""
        raise InputError(f"{folder} holds no .json file{other}")
    if len(paths) == 1:
        return Scores.load(paths[0])
    return sorted((Circuit.load(path) for path in paths), key=len)


def cut(scores: Scores, *, signed: bool = False, greedy: bool = False) -> List[Circuit]:
    """The nine circuits that scores give: the strongest edges by |score| (or score), pruned."""
    select = scores.greedy if greedy else scores.top_n
    return [select(_most(percent, scores.graph.n_edges), signed=signed).prune() for percent in PERCENTS]


def _fitting(circuits: List[Any]) -> List[Circuit]:
    if len(circuits) != len(PERCENTS) or not all(isinstance(c, Circuit) for c in circuits):
        sizes = ", ".join(f"{p:g}" for p in PERCENTS)
        raise ArgumentError(f"{_values.count(len(circuits), 'circuit')} given; one for each of {sizes} percent is needed")
    ordered = sorted(circuits, key=len)
    for percent, circuit in zip(PERCENTS, ordered):
        most = _most(percent, circuit.graph.n_edges)
        if len(circuit) > most:
            raise ArgumentError(f"a circuit has {_values.count(len(circuit), 'edge')}; {percent:g} percent are at most {most}")
    return ordered


def _most(percent: float, edges: int) -> int:
    return int(percent * edges / 100 + 1e-9)
