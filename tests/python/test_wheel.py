"""The wheel: what is in it, what it says of itself, and how else the package is installed."""

import base64
import hashlib
import re
import subprocess
import sys
import zipfile

import gradpath
from support import Case, ROOT, output

sys.path.insert(0, str(ROOT / "python"))
import build_wheel  # noqa: E402


class Wheel(Case):
    def setUp(self):
        super().setUp()
        self.path = max((ROOT / "out" / "wheel").glob("gradpath-*.whl"), key=lambda p: p.stat().st_mtime)
        self.archive = zipfile.ZipFile(self.path)
        self.addCleanup(self.archive.close)

    def test_its_name_and_version(self):
        version = re.search("<Version>(.*)</Version>", (ROOT / "Directory.Build.props").read_text())[1]
        machine = build_wheel.platform.machine()
        self.assertEqual(self.path.name, f"gradpath-{version}-py3-none-manylinux_2_28_{machine}.whl")
        self.assertEqual(gradpath.__version__, version)

    def test_the_tag_fits_the_libraries(self):
        found = 0
        for name in self.archive.namelist():
            if not name.endswith(".so"):
                continue
            path = self.folder / name.rpartition("/")[2]
            path.write_bytes(self.archive.read(name))
            glibc, others = build_wheel.requirements(path)
            self.assertEqual(others, [], name)
            self.assertLessEqual(glibc[:2], (2, 28), name)
            found += 1
        self.assertGreaterEqual(found, 1)
        self.assertIn(f"Tag: py3-none-manylinux_2_28_{build_wheel.platform.machine()}", self._info("WHEEL"))

    def test_the_record_is_right(self):
        rows = dict(line.split(",", 1) for line in self._info("RECORD").splitlines())
        self.assertEqual(set(rows), set(self.archive.namelist()))
        for name, row in rows.items():
            if not name.endswith("RECORD"):
                data = self.archive.read(name)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                self.assertEqual(row, f"sha256={digest},{len(data)}", name)

    def test_the_metadata(self):
        text = self._info("METADATA")
        for line in ("Name: gradpath", "Requires-Python: >=3.9", "Requires-Dist: numpy>=1.22", "License: MIT"):
            self.assertIn(line + "\n", text)
        names = self.archive.namelist()
        for name in ("gradpath/py.typed", "gradpath/_lib/libgradpath.so", "gradpath/models/demo/model.safetensors"):
            self.assertIn(name, names)
        self.assertFalse([n for n in names if "__pycache__" in n or n.endswith(".pyc")])

    def test_the_same_input_gives_the_same_bytes(self):
        for folder in ("a", "b"):
            build_wheel.make(self.folder / folder, ROOT / "out" / "native", partial=True)
        a, b = ((self.folder / f / self.path.name).read_bytes() for f in ("a", "b"))
        self.assertEqual(a, b)

    def test_what_is_missing_is_said(self):
        with self.raises(build_wheel.Fault, "src/Native/build makes all"):
            build_wheel.make(self.folder, self.folder)
        done = subprocess.run(
            [sys.executable, str(ROOT / "python" / "build_wheel.py"), "--library", str(self.folder)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("lacks", done.stderr)

    def test_the_package_is_the_wheel_s(self):
        self.assertNotIn(str(ROOT), gradpath.__file__)

    def _info(self, name):
        return self.archive.read(next(n for n in self.archive.namelist() if n.endswith(f".dist-info/{name}"))).decode()


class Editable(Case):
    def test_editable_install(self):
        venv = self.folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", str(venv)], check=True, capture_output=True, timeout=120)
        python = venv / "bin" / "python"
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--no-index", "--no-deps", "-e", str(ROOT / "python")], check=True,
            capture_output=True, timeout=300)
        done = subprocess.run(
            [str(python), "-c", "import gradpath; print(gradpath.__file__, gradpath.__version__, gradpath.Model.open('demo').n_layers)"],
            cwd=self.folder, capture_output=True, text=True, check=True, timeout=60)
        self.assertIn(f"{ROOT}/python/gradpath/__init__.py {gradpath.__version__} 4", done.stdout)


class Import(Case):
    def test_it_imports_nothing_heavy(self):
        heavy = ("torch", "pandas", "tqdm", "transformers")
        code = f"import sys, gradpath, gradpath.interchange\nprint([m for m in {heavy} if m in sys.modules])"
        self.assertEqual(output(code), "[]\n")

    def test_every_name_is_there_and_documented(self):
        for name in gradpath.__all__:
            value = getattr(gradpath, name)
            if name != "__version__":
                self.assertTrue((value.__doc__ or "").strip(), name)
