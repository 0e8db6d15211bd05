"""What several tests share: models, prompts, goldens, the command line, programs of their own."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

import gradpath

ROOT = Path(os.environ["GRADPATH_ROOT"])
DATA = ROOT / "tests" / "Data"
TINY = DATA / "models" / "tiny-random"


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def assertSays(self, error, kind, *words):
        self.assertIsInstance(error, kind)
        for word in words:
            self.assertIn(word, str(error))

    def raises(self, kind, *words):
        """As assertRaises, and the message must have the words."""
        return _Raises(self, kind, words)


class _Raises:
    def __init__(self, case, kind, words):
        self._case, self._kind, self._words = case, kind, words

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        self._case.assertIsNotNone(error, f"{self._kind.__name__} was expected")
        if not isinstance(error, self._kind):
            return False
        for word in self._words:
            self._case.assertIn(word, str(error))
        return True


@lru_cache(maxsize=None)
def demo():
    return gradpath.Model.open("demo", device="cpu")


@lru_cache(maxsize=None)
def tiny():
    return gradpath.Model.open(TINY, device="cpu")


@lru_cache(maxsize=None)
def ioi(n=6, seed=0):
    return gradpath.PromptPairs.task("ioi", n=n, seed=seed)


@lru_cache(maxsize=None)
def demo_scores():
    return gradpath.score(demo(), ioi(), "eap")


def ids(n=3):
    """Pairs for the tiny model."""
    return gradpath.PromptPairs([[1, 2, 3]] * n, [[1, 4, 3]] * n, [5] * n, [6] * n)


def config():
    return json.loads((TINY / "config.json").read_text())


@lru_cache(maxsize=None)
def _tensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    made = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if entry["dtype"] != "F32":
            continue
        values = np.frombuffer(data[8 + length + begin:8 + length + end], np.float32)
        made[name.replace("transformer.", "")] = values.reshape(entry["shape"])
    return made


def tensors(path=TINY / "model.safetensors"):
    """The tensors of a checkpoint, by name."""
    return dict(_tensors(path))


def golden(name):
    """Matrices of golden scores by their keys; NaN for null."""
    rows = json.loads((DATA / "goldens" / name / "scores.json").read_text())
    return {key: np.array(value["matrix"], dtype=float) for key, value in rows.items()}


class _Frames(HTMLParser):
    def __init__(self):
        super().__init__()
        self.frames = []

    def handle_starttag(self, tag, attrs):
        if tag == "iframe":
            self.frames.append(dict(attrs))


def framed(page):
    """The page that an output in a notebook holds in a frame of its own, as a browser reads it."""
    parser = _Frames()
    parser.feed(page)
    (frame,) = parser.frames
    assert frame["sandbox"] == "allow-scripts", frame["sandbox"]
    return frame["srcdoc"]


def cli(*arguments, cwd=None):
    """Runs ./gradpath."""
    command = [str(ROOT / "gradpath"), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(code, *arguments, **options):
    """Starts Python on a program of the test's."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([sys.executable, "-u", "-c", code, *map(str, arguments)], **options)


def output(code, *arguments, **options):
    """What a program of the test's prints; it must end well."""
    with program(code, *arguments, **options) as running:
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0, f"exit code {running.returncode}\n{out}\n{err}"
    return out
