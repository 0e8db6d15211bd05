"""Finds libgradpath.so, declares its functions and calls them.

The library is loaded by the first call and not by the import, so that a process may import the package, fork, and use it in the child. A
process that has forked after that cannot use it in the child: every call there raises.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from . import _errors
from ._errors import Error
from ._structs import HANDLE, SIZE, Run, Tensor

ABI = 1
VARIABLE = "GRADPATH_LIBRARY"
FORKED = (
    "this process was forked from one that had used gradpath, and the library does not live through that: start the process anew "
    "(multiprocessing.set_start_method('spawn')), or use gradpath for the first time in the child"
)

_BYTES = ctypes.c_char_p
_TEXT = (_BYTES, SIZE)
_OUT = (_BYTES, SIZE, ctypes.POINTER(SIZE))
_HANDLES = ctypes.POINTER(HANDLE)
_RUN = ctypes.POINTER(Run)
_ARRAY = ctypes.c_void_p
_COUNT = ctypes.POINTER(SIZE)

# The arguments of the functions that return a status, in the order of gradpath.h.
_PROTOTYPES: Dict[str, Tuple[Any, ...]] = {
    "gradpath_version": _OUT,
    "gradpath_catalog": _OUT,
    "gradpath_describe": (HANDLE, *_OUT),
    "gradpath_close": (HANDLE,),
    "gradpath_stop_open": (_HANDLES,),
    "gradpath_stop_signal": (HANDLE,),
    "gradpath_graph_names": (ctypes.c_uint32, ctypes.c_uint32, *_OUT),
    "gradpath_device_open": (*_TEXT, *_TEXT, _HANDLES),
    "gradpath_model_open": (HANDLE, *_TEXT, _RUN, _HANDLES),
    "gradpath_model_from_weights": (HANDLE, *_TEXT, ctypes.POINTER(Tensor), SIZE, *_TEXT, HANDLE, _HANDLES),
    "gradpath_tokenizer_open": (*_TEXT, _HANDLES),
    "gradpath_tokenizer_encode": (HANDLE, *_TEXT, _ARRAY, SIZE, _COUNT),
    "gradpath_tokenizer_decode": (HANDLE, _ARRAY, SIZE, *_OUT),
    "gradpath_prompts_load": (HANDLE, *_TEXT, _RUN, _HANDLES),
    "gradpath_prompts_parse": (HANDLE, *_TEXT, *_TEXT, _HANDLES),
    "gradpath_prompts_ids": (HANDLE, *_OUT),
    "gradpath_prompts_save": (HANDLE, *_TEXT),
    "gradpath_score": (HANDLE, HANDLE, *_TEXT, _RUN, _HANDLES),
    "gradpath_scores_data": (HANDLE, ctypes.POINTER(ctypes.c_void_p), _COUNT),
    "gradpath_scores_nodes": (HANDLE, _ARRAY, SIZE, _COUNT),
    "gradpath_scores_from_values": (ctypes.c_uint32, ctypes.c_uint32, _ARRAY, SIZE, _HANDLES),
    "gradpath_scores_open": (*_TEXT, _HANDLES),
    "gradpath_scores_save": (HANDLE, *_TEXT),
    "gradpath_circuit_select": (HANDLE, *_TEXT, _HANDLES),
    "gradpath_circuit_prune": (HANDLE, _HANDLES),
    "gradpath_circuit_edges": (HANDLE, _ARRAY, SIZE, _COUNT),
    "gradpath_circuit_from_edges": (ctypes.c_uint32, ctypes.c_uint32, _ARRAY, SIZE, HANDLE, _HANDLES),
    "gradpath_circuit_scores": (HANDLE, _HANDLES),
    "gradpath_circuit_draw": (HANDLE, *_TEXT, *_OUT),
    "gradpath_circuit_open": (*_TEXT, _HANDLES),
    "gradpath_circuit_save": (HANDLE, *_TEXT),
    "gradpath_evaluate": (HANDLE, HANDLE, _HANDLES, SIZE, *_TEXT, _RUN, _HANDLES),
    "gradpath_curve": (HANDLE, HANDLE, _HANDLES, SIZE, *_TEXT, _RUN, _HANDLES),
    "gradpath_search": (HANDLE, HANDLE, *_TEXT, *_TEXT, HANDLE, _RUN, _HANDLES, _HANDLES),
}

_lock = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None
_forked = False
_buffers = threading.local()


def _after_fork() -> None:
    global _forked, _lock
    _lock = threading.Lock()
    _forked = _loaded is not None


os.register_at_fork(after_in_child=_after_fork)


def is_forked() -> bool:
    """Whether this process came out of a fork of one that had loaded the library."""
    return _forked


def refuse_after_fork() -> None:
    """Refuses what is called in such a process.

    Raises:
        Error: It is one.
    """
    if _forked:
        raise Error(FORKED)


def candidates() -> List[Path]:
    """Where the library is looked for: beside the package, then where a build of the repository leaves it."""
    here = Path(__file__).resolve().parent
    return [here / "_lib" / "libgradpath.so", here.parent.parent / "out" / "native" / "libgradpath.so"]


def _find() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        if not os.path.isfile(named):
            raise Error(f"{VARIABLE}={named}: there is no such file; libgradpath.so is meant")
        return Path(named)
    for path in candidates():
        if path.is_file():
            return path
    places = ", ".join(str(p) for p in candidates())
    raise Error(
        f"libgradpath.so is not there: looked for {places}. Wheels carry it; in a checkout src/Native/build makes it, and {VARIABLE} "
        "names another place")


def _load() -> ctypes.CDLL:
    path = _find()
    try:
        library = ctypes.CDLL(str(path))
        library.gradpath_abi.restype = ctypes.c_uint32
        library.gradpath_abi.argtypes = []
        library.gradpath_last_error.restype = ctypes.c_char_p
        library.gradpath_last_error.argtypes = []
        library.gradpath_open_handles.restype = SIZE
        library.gradpath_open_handles.argtypes = []
        abi = library.gradpath_abi()
        if abi == 0:
            raise Error(f"{path}: {library.gradpath_last_error().decode('utf-8', 'replace')}")
        if abi != ABI:
            raise Error(f"{path} has version {abi} of the interface, and this package needs {ABI}: install both from one build")
        for name, arguments in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype = ctypes.c_int
            function.argtypes = arguments
    except (OSError, AttributeError) as e:
        raise Error(f"{path} cannot be loaded: {e}") from e
    return library


def library() -> ctypes.CDLL:
    """The loaded library.

    Raises:
        Error: It is not there, cannot be loaded, is of another version, or the process was forked after its first use.
    """
    global _loaded
    refuse_after_fork()
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a status, and raises what it says."""
    made = library()
    status = getattr(made, name)(*arguments)
    if status != _errors.OK:
        raise _errors.of_status(status, (made.gradpath_last_error() or b"").decode("utf-8", "replace"))


def opened(name: str, *arguments: Any) -> int:
    """Calls a function whose last argument is the place for a new handle, and gives the handle."""
    handle = HANDLE()
    call(name, *arguments, ctypes.byref(handle))
    return handle.value or 0


def text(name: str, *arguments: Any) -> str:
    """Calls a function whose last arguments are a buffer for text, and gives the text."""
    made = library()
    function = getattr(made, name)
    buffer = getattr(_buffers, "text", None)
    if buffer is None:
        buffer = _buffers.text = ctypes.create_string_buffer(1 << 14)
    length = SIZE()
    status = function(*arguments, buffer, len(buffer), ctypes.byref(length))
    while status == _errors.BUFFER:
        large = ctypes.create_string_buffer(length.value + 1)
        status = function(*arguments, large, len(large), ctypes.byref(length))
        buffer = large
    if status != _errors.OK:
        raise _errors.of_status(status, (made.gradpath_last_error() or b"").decode("utf-8", "replace"))
    return ctypes.string_at(buffer, length.value).decode("utf-8")


def parsed(name: str, *arguments: Any) -> Any:
    """As :func:`text`, for functions that give JSON."""
    return json.loads(text(name, *arguments))


def open_handles() -> int:
    """How many handles of the library are open in this process, for tests of leaks."""
    return int(library().gradpath_open_handles())


def version() -> str:
    """The version of the library, with the commit that it was built from."""
    return text("gradpath_version")
