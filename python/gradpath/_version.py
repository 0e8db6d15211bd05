"""The version of the package; a wheel states its own, a checkout asks the repository."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path


def _read() -> str:
    try:
        # Only wheels have it.
        return str(import_module("._built", __package__).VERSION)
    except ImportError:
        pass
    properties = Path(__file__).resolve().parents[2] / "Directory.Build.props"
    try:
        found = re.search(r"<Version>([^<]+)</Version>", properties.read_text("utf-8"))
    except OSError:
        found = None
    return found[1] if found else "0+unknown"


__version__ = _read()
