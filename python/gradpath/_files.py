"""Files that the package writes itself: they appear when they are complete."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import Any

from ._errors import InputError


def write(path: Any, text: str) -> None:
    """Writes a text as UTF-8; a file that exists is replaced by a whole one or not at all. What is no file is written to as it is.

    Raises:
        InputError: It cannot be written.
    """
    data = text.encode("utf-8")
    # A link keeps pointing where it did.
    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "wb") as stream:
                stream.write(data)
        else:
            _replace(target, data)
    except OSError as e:
        raise InputError(f"cannot write {os.fspath(path)}: {e.strerror or e}") from e


def _replace(target: str, data: bytes) -> None:
    folder, name = os.path.split(target)
    aside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(8)}.part")
    try:
        with open(aside, "xb") as stream:
            if os.path.exists(target):
                os.fchmod(stream.fileno(), os.stat(target).st_mode & 0o777)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        raise
