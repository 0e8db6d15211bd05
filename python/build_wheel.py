#!/usr/bin/env python3
"""Builds the wheel: the package with the library that src/Native/build has left in out/native, and the demo model.

    python3 python/build_wheel.py [--out out/wheel] [--library out/native] [--partial]

A wheel is a zip file with three files of metadata, so that nothing but Python is needed. The functions build_wheel and build_editable are
what pip calls, by pyproject.toml. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OLDEST_GLIBC = (2, 28)
# What manylinux_2_28 says is on every system.
SYSTEM = re.compile(r"^(lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)|ld-linux-[a-z0-9-]+)\.so\.\d+$")
ENGINES = {
    "x86_64": ["libgradpath.so", "libgradpath-x86-64-v2.so", "libgradpath-x86-64-v3.so", "libgradpath-x86-64-v4.so"],
    "aarch64": ["libgradpath.so"],
}
ARCHITECTURES = {"x86_64": "x86-64", "aarch64": "aarch64"}


class Fault(Exception):
    """What keeps a wheel from being built."""


def version() -> str:
    """The version that all packages of the repository have."""
    found = re.search(r"<Version>([^<]+)</Version>", (ROOT / "Directory.Build.props").read_text("utf-8"))
    if not found:
        raise Fault("Directory.Build.props has no <Version>")
    return found[1]


def objdump(option: str, path: Path) -> str:
    try:
        return subprocess.run(["objdump", option, str(path)], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise Fault("objdump is needed: apt-get install binutils") from None
    except subprocess.CalledProcessError as e:
        raise Fault(f"{path}: {e.stderr.strip()}") from None


def requirements(path: Path) -> Tuple[Tuple[int, ...], List[str]]:
    """The newest version of glibc that a library asks for, and the libraries that no system must have."""
    versions = [tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_(\d+(?:\.\d+)+)", objdump("-T", path))]
    needed = re.findall(r"NEEDED\s+(\S+)", objdump("-p", path))
    return max(versions, default=(0,)), [n for n in needed if not SYSTEM.match(n)]


def tag(libraries: List[Path], machine: str) -> str:
    """The platform tag that fits what the libraries ask for.

    Raises:
        Fault: One is of another architecture or needs a library that systems may lack.
    """
    newest = OLDEST_GLIBC
    for path in libraries:
        if ARCHITECTURES[machine] not in objdump("-f", path).replace("i386:x86-64", "x86-64"):
            raise Fault(f"{path} is not made for {machine}")
        glibc, others = requirements(path)
        if others:
            raise Fault(f"{path} needs {', '.join(others)}, which not every system has")
        newest = max(newest, glibc[:2])
    return f"manylinux_{newest[0]}_{newest[1]}_{machine}"


def libraries(folder: Path, machine: str, partial: bool) -> List[Path]:
    """The files of the library.

    Raises:
        Fault: One is missing. With ``partial`` the loader and one engine are enough, for a try on this machine.
    """
    if machine not in ENGINES:
        raise Fault(f"{machine} is not built for; {' and '.join(ENGINES)} are")
    paths = [folder / name for name in ENGINES[machine]]
    missing = [p.name for p in paths if not p.is_file()]
    there = [p for p in paths if p.is_file()]
    if missing and not (partial and paths[0] in there and len(there) > 1):
        raise Fault(f"{folder} lacks {', '.join(missing)}; src/Native/build makes all")
    return there


def metadata() -> str:
    """METADATA, of what pyproject.toml states. Its values are plain strings and lists of such, one entry per line or in brackets."""
    project = (HERE / "pyproject.toml").read_text("utf-8").partition("[project]")[2]

    def one(name: str) -> str:
        found = re.search(rf'^{name} = "([^"]*)"', project, re.MULTILINE)
        assert found, name
        return found[1]

    def many(name: str) -> List[str]:
        found = re.search(rf"^{name} = \[(.*?)\]", project, re.MULTILINE | re.DOTALL)
        assert found, name
        return re.findall(r'"([^"]*)"', found[1])

    lines = [
        "Metadata-Version: 2.1", "Name: gradpath", f"Version: {version()}", f"Summary: {one('description')}",
        "Author: The Gradpath authors", "License: MIT", f"Keywords: {','.join(many('keywords'))}",
        *[f"Classifier: {c}" for c in many("classifiers")],
        f"Requires-Python: {one('requires-python')}",
        *[f"Requires-Dist: {d}" for d in many("dependencies")],
        "Provides-Extra: pandas", 'Requires-Dist: pandas; extra == "pandas"',
        "Description-Content-Type: text/markdown", "License-File: LICENSE", "",
    ]
    return "\n".join(lines) + "\n" + (HERE / "README.md").read_text("utf-8")


class Wheel:
    """A wheel that is being written."""

    def __init__(self, folder: Path, platform_tag: str) -> None:
        self.name = f"gradpath-{version()}-py3-none-{platform_tag}.whl"
        self._info = f"gradpath-{version()}.dist-info"
        self._tag = f"py3-none-{platform_tag}"
        self._path = folder / self.name
        self._files: Dict[str, Tuple[bytes, int]] = {}

    def add(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._files[name] = (data, mode)

    def write(self) -> str:
        pure = "true" if self._tag.endswith("any") else "false"
        self.add(f"{self._info}/METADATA", metadata().encode())
        self.add(f"{self._info}/LICENSE", (ROOT / "LICENSE").read_bytes())
        self.add(f"{self._info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: gradpath\nRoot-Is-Purelib: {pure}\nTag: {self._tag}\n".encode())
        rows = []
        for name, (data, _) in sorted(self._files.items()):
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(data)}\n")
        self.add(f"{self._info}/RECORD", ("".join(rows) + f"{self._info}/RECORD,,\n").encode())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            # The metadata goes last, as the format recommends.
            for name in sorted(self._files, key=lambda n: (n.startswith(self._info), n)):
                data, mode = self._files[name]
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.external_attr = (0o100000 | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data, compresslevel=9)
        part.replace(self._path)
        return self.name


def make(folder: Path, library: Path, partial: bool = False) -> str:
    """Writes the wheel and gives its name."""
    machine = platform.machine()
    found = libraries(library, machine, partial)
    wheel = Wheel(folder, tag(found, machine))
    package = HERE / "gradpath"
    for path in sorted(package.rglob("*")):
        if path.is_file() and (path.suffix == ".py" or path.name == "py.typed"):
            wheel.add(path.relative_to(HERE).as_posix(), path.read_bytes())
    wheel.add("gradpath/_built.py", f'"""What the wheel was built with."""\n\nVERSION = "{version()}"\n'.encode())
    for path in found:
        wheel.add(f"gradpath/_lib/{path.name}", path.read_bytes(), 0o755)
    # Folders in the model's own, its transcoders, are for verbs that this package does not have.
    for path in sorted((ROOT / "models" / "demo").iterdir()):
        if path.is_file():
            wheel.add(f"gradpath/models/demo/{path.name}", path.read_bytes())
    return wheel.write()


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: Optional[str] = None) -> str:
    """What pip calls for `pip install ./python`."""
    return make(Path(wheel_directory), ROOT / "out" / "native", partial=True)


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: Optional[str] = None) -> str:
    """What pip calls for `pip install -e ./python`: a wheel that only names the folder."""
    wheel = Wheel(Path(wheel_directory), "any")
    wheel.add("gradpath.pth", f"{HERE}\n".encode())
    return wheel.write()


def get_requires_for_build_wheel(config_settings: object = None) -> List[str]:
    return []


def get_requires_for_build_editable(config_settings: object = None) -> List[str]:
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the wheel.")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "wheel")
    parser.add_argument("--library", type=Path, default=ROOT / "out" / "native")
    parser.add_argument("--partial", action="store_true", help="be content with one engine, for a try on this machine")
    options = parser.parse_args()
    try:
        name = make(options.out, options.library, options.partial)
    except Fault as e:
        print(f"python/build_wheel.py: {e}", file=sys.stderr)
        return 1
    path = options.out / name
    print(f"{path}: {path.stat().st_size >> 10} KiB; tests/python tries it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
