"""The safetensors format: length of the header (u64), the header (JSON), the tensors' bytes."""
import json
import struct
from pathlib import Path


def read_header(path):
    """A file's header and where the tensors' bytes begin; a ValueError says what is wrong with the file."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        if size < 8:
            raise ValueError("it is shorter than the length of a header")
        length = struct.unpack("<Q", file.read(8))[0]
        if length > size - 8:
            raise ValueError(f"its header would be {length} bytes long and the file has {size}")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise ValueError("its header is no JSON") from error
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    return header, 8 + length
