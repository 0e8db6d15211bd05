"""Devices: what computes."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Optional, Tuple, Union

from . import _library, _values
from ._errors import ArgumentError
from ._handles import Owner


class Device(Owner):
    """What computes: the CPU's cores, or one GPU. A device takes one run at a time; two devices run in two threads."""

    _KIND = "device"
    _INSTEAD = "open the device there, with gradpath.Device.open"
    _open: "weakref.WeakValueDictionary[Tuple[Any, ...], Device]" = weakref.WeakValueDictionary()
    _opening = threading.Lock()

    @classmethod
    def open(
        cls,
        name: str = "auto",
        *,
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
        precision: Optional[str] = None,
        gemm: Optional[str] = None,
    ) -> "Device":
        """The device of this name and these options, one for the whole process.

        Args:
            name: ``auto`` (the GPU with the most free memory, else the CPU), ``cpu``, ``cuda`` or ``cuda:1``.
            threads: Threads of the CPU; by default one per core.
            memory: What batches are planned by, in bytes or as "6GiB"; by default what the device has.
            precision: Of matrix products on a GPU: ``fp32``, ``tf32`` or ``bf16``.
            gemm: How a GPU multiplies matrices: ``own``, ``ffma``, ``tf32x3``, ``fp16x3`` or ``cublas``.

        Raises:
            ArgumentError: There is no such device, or an option does not go with it.
            DeviceError: The GPU cannot be used.
        """
        bytes_ = _values.memory(memory)
        given, length = _values.line(name, "device")
        options = _values.options(threads=threads, memory=bytes_, precision=precision, gemm=gemm)
        key = (name.lower(), threads, bytes_, precision, gemm)
        with cls._opening:
            known = cls._open.get(key)
            if known is not None and not known.closed:
                return known
            made = cls(_library.opened("gradpath_device_open", given, length, *options))
            if name.lower() == "auto":
                named = cls._open.get((made.name, *key[1:]))
                if named is not None and not named.closed:
                    made.close()
                    made = named
                else:
                    cls._open[(made.name, *key[1:])] = made
            cls._open[key] = made
            return made

    @property
    def name(self) -> str:
        """``cpu``, or ``cuda:0`` and so on."""
        return self._fact("name", str)

    def __repr__(self) -> str:
        return "Device(closed)" if self.closed else f"Device({self.name}: {self._fact('description', str)})"


DeviceOption = Union[str, Device]


def device_of(device: DeviceOption, **options: Any) -> Device:
    """The device that an argument and its options mean."""
    if not isinstance(device, Device):
        return Device.open(device, **options)
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ArgumentError(f"{given[0]}: the device is open already; say so where it is opened")
    return device
