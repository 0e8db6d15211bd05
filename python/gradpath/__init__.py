"""Gradpath: edge scores, circuits and their faithfulness in GPT-2.

    import gradpath

    model = gradpath.Model.open("gpt2")
    pairs = gradpath.PromptPairs.task("ioi", n=100)
    scores = gradpath.score(model, pairs, method="eap-gp")
    circuit = scores.top_n(200).prune()
    print(gradpath.evaluate(model, pairs, circuit).faithfulness)
"""

from ._errors import (
    ArgumentError,
    Busy,
    DeviceError,
    Error,
    HandleError,
    InputError,
    InputWarning,
    InternalError,
    OutOfMemory,
    Stopped,
)
from ._library import open_handles as _open_handles
from ._library import version as library_version
from ._version import __version__
from .attribution import score
from .catalog import Entry, fractions, methods, metrics, presets, searches, tasks
from .circuit import Circuit
from .device import Device
from .discovery import acdc, edge_prune, hap, path_patch
from .evaluation import Curve, CurvePoints, Evaluation, PairResults, curve, evaluate
from .graph import Graph
from .metric import Metric
from .model import Model
from .prompts import PairIds, PromptPairs
from .scores import ScoredEdge, Scores
from .tokenizer import Tokenizer

__all__ = [
    "ArgumentError", "Busy", "Circuit", "Curve", "CurvePoints", "Device", "DeviceError", "Entry", "Error", "Evaluation", "Graph",
    "HandleError", "InputError", "InputWarning", "InternalError", "Metric", "Model", "OutOfMemory", "PairIds", "PairResults",
    "PromptPairs", "ScoredEdge", "Scores", "Stopped", "Tokenizer", "__version__", "acdc", "curve", "edge_prune", "evaluate",
    "fractions", "hap", "library_version", "methods", "metrics", "path_patch", "presets", "score", "searches", "tasks",
]
