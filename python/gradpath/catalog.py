"""What the library has: methods, searches, metrics, tasks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, NamedTuple

from . import _library


class Entry(NamedTuple):
    """Something that an option names."""

    name: str
    title: str
    summary: str


@lru_cache(maxsize=1)
def _catalog() -> Dict[str, Any]:
    found: Dict[str, Any] = _library.parsed("gradpath_catalog")
    return found


def _entries(kind: str) -> List[Entry]:
    return [Entry(row["name"], row["title"], row["summary"]) for row in _catalog()[kind]]


def methods() -> List[Entry]:
    """Methods that score edges, for :func:`gradpath.score`."""
    return _entries("methods")


def searches() -> List[Entry]:
    """Searches for circuits."""
    return _entries("searches")


def metrics() -> List[Entry]:
    """Metrics that judge a run."""
    return _entries("metrics")


def tasks() -> List[Entry]:
    """Tasks whose prompts are generated, for :meth:`gradpath.PromptPairs.task`."""
    return _entries("tasks")


def presets() -> List[Entry]:
    """Presets of EAP-GP's path."""
    return _entries("presets")


def fractions() -> List[float]:
    """The sizes of :func:`gradpath.curve`, as shares of all edges."""
    return list(_catalog()["fractions"])
