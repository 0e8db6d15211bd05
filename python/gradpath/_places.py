"""Where models lie that come with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, List


def candidates() -> List[Path]:
    """Where the small model is looked for: in the wheel, then in the repository."""
    here = Path(__file__).resolve().parent
    return [here / "models" / "demo", here.parent.parent / "models" / "demo"]


def carried(path: Any) -> Any:
    """The folder of the small model that comes along, where ``demo`` means it: a folder of that name at hand goes first."""
    if not isinstance(path, (str, os.PathLike)) or os.fspath(path) != "demo" or Path("demo").is_dir():
        return path
    return next((folder for folder in candidates() if (folder / "model.safetensors").is_file()), path)
