"""Which exception says what."""

import ctypes
import re

import gradpath
from gradpath import _errors, _library, _structs
from support import ROOT, Case


class Kinds(Case):
    def test_every_status_has_its_exception(self):
        kinds = (gradpath.ArgumentError, gradpath.HandleError, gradpath.InputError, gradpath.DeviceError, gradpath.OutOfMemory,
                 gradpath.Stopped, gradpath.Busy, gradpath.InternalError, gradpath.Error)
        for status, kind in zip((1, 2, 3, 4, 5, 6, 7, 10, 11), kinds):
            error = _errors.of_status(status, "why")
            self.assertIs(type(error), kind)
            self.assertEqual(str(error), "why")
            self.assertIsInstance(error, gradpath.Error)
        self.assertIs(type(_errors.of_status(99, "")), gradpath.InternalError)
        self.assertTrue(issubclass(gradpath.ArgumentError, ValueError) and issubclass(gradpath.OutOfMemory, MemoryError))
        self.assertTrue(issubclass(gradpath.InputWarning, UserWarning))

    def test_the_header_has_no_other_status(self):
        text = (ROOT / "src" / "Native" / "gradpath.h").read_text()
        self.assertEqual({int(n) for n in re.findall(r"#define GRADPATH_ERROR_\w+ (\d+)", text)}, set(range(1, 12)))

    def test_every_function_of_the_header_is_known(self):
        text = (ROOT / "src" / "Native" / "gradpath.h").read_text()
        functions = set(re.findall(r"^gradpath_status (gradpath_\w+)\(", text, re.MULTILINE))
        # Python reads ids as JSON and scores in place.
        self.assertEqual(functions - set(_library._PROTOTYPES), {"gradpath_prompts_from_ids", "gradpath_scores_values"})
        self.assertEqual(set(_library._PROTOTYPES) - functions, set())

    def test_the_structures_are_as_large_as_the_header_s(self):
        self.assertEqual((ctypes.sizeof(_structs.Run), ctypes.sizeof(_structs.Tensor)), (64, 40))


class Devices(Case):
    def test_no_gpu(self):
        try:
            gradpath.Device.open("cuda")
        except gradpath.DeviceError as e:
            self.assertIn("cpu", str(e))
        else:
            self.skipTest("there is a GPU")
        with self.raises(gradpath.DeviceError):
            gradpath.Model.open("demo", device="cuda:1")

    def test_graphs_that_are_too_large(self):
        for layers, heads in ((10_000, 10_000), ((1 << 31) - 1, 1)):
            with self.raises(gradpath.ArgumentError, "layers"):
                gradpath.Graph(layers, heads)

    def test_too_little_memory(self):
        with gradpath.Model.open("demo", device="cpu", memory=100_000) as model:
            with self.raises(gradpath.Error, "memory"):
                gradpath.score(model, gradpath.PromptPairs.task("ioi", n=2))
