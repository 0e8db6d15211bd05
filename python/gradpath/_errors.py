"""What calls raise: one class per kind of fault, all of them :class:`Error`."""

from __future__ import annotations

import sys
import warnings
from typing import Dict, Iterable, Type


class Error(Exception):
    """Anything that the library refuses or fails at. The message says what is wrong and what would be right."""


class ArgumentError(Error, ValueError):
    """An argument or an option cannot be used."""


class HandleError(Error):
    """The object is closed, or is of another kind than the call needs."""


class InputError(Error):
    """A file, a model, prompts or scores cannot be used."""


class DeviceError(Error):
    """The device cannot do it."""


class OutOfMemory(Error, MemoryError):
    """The memory of the device or of the process is not enough."""


class Stopped(Error):
    """The call was stopped before it was done."""


class Busy(Error):
    """Another thread's call uses the device or the object."""


class InternalError(Error):
    """A fault of the library itself."""


class InputWarning(UserWarning):
    """Something in a model or in prompts that works, and may not be what was meant."""


OK = 0
STOPPED = 6
BUFFER = 8
CALLBACK = 9
UNUSABLE = 11  # no engine, or the process has forked

_KINDS: Dict[int, Type[Error]] = {
    1: ArgumentError,
    2: HandleError,
    3: InputError,
    4: DeviceError,
    5: OutOfMemory,
    STOPPED: Stopped,
    7: Busy,
    CALLBACK: ArgumentError,
    10: InternalError,
    UNUSABLE: Error,
}


def of_status(status: int, message: str) -> Error:
    """The exception for what a function of the library returned."""
    return _KINDS.get(status, InternalError)(message)


def warn(messages: Iterable[str]) -> None:
    """Says what the library has noticed, as of the line that has called the package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and (frame.f_globals.get("__package__") or "").split(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    for message in messages:
        warnings.warn(message, InputWarning, stacklevel=level)
