"""Where models lie that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def carried(path: Any) -> Any:
    """The folder of the small model that the wheel carries, where ``demo`` means it: a folder of that name at hand goes first."""
    own = Path(__file__).parent / "models" / "demo"
    return own if path == "demo" and not Path("demo").is_dir() and (own / "model.safetensors").is_file() else path
