"""The structures and callbacks of gradpath.h."""

from __future__ import annotations

import ctypes

SIZE = ctypes.c_size_t
HANDLE = ctypes.c_void_p
FLOATS = ctypes.POINTER(ctypes.c_float)

Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_char_p)
Metric = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, SIZE, FLOATS, FLOATS, SIZE, FLOATS, ctypes.POINTER(ctypes.c_double))

METRIC_LOSS = 1
METRIC_DISTANCE = 2


class Run(ctypes.Structure):
    """gradpath_run: what a long call is told beside its options."""

    _fields_ = [
        ("size", SIZE),
        ("stop", HANDLE),
        ("user", ctypes.c_void_p),
        ("progress", Progress),
        ("metric", Metric),
        ("metric_name", ctypes.c_char_p),
        ("metric_name_length", SIZE),
        ("metric_traits", ctypes.c_uint32),
    ]


class Tensor(ctypes.Structure):
    """gradpath_tensor: one tensor of a model in memory."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("name_length", SIZE),
        ("data", ctypes.c_void_p),
        ("shape", ctypes.POINTER(ctypes.c_uint64)),
        ("rank", SIZE),
    ]
