"""Models, devices, vocabularies, prompt pairs."""

import json
import warnings

import gradpath
import numpy as np
from support import Case, DATA, ROOT, TINY, config, demo, demo_scores, ids, ioi, tensors, tiny


class Models(Case):
    def test_open(self):
        with gradpath.Model.open(str(TINY)) as model:
            self.assertEqual((model.name, model.n_layers, model.n_heads, model.d_model), ("tiny-random", 2, 4, 32))
            self.assertEqual((model.n_vocabulary, model.n_positions, model.graph), (61, 32, gradpath.Graph.of(2, 4)))
            self.assertIn("on cpu", repr(model))
        self.assertTrue(model.closed)
        self.assertEqual(demo().name, "demo")
        for path, kind, words in [
            (self.folder / "none", gradpath.InputError, ("none",)),
            ("no-such-model", gradpath.InputError, ("no-such-model", "Looked for")),
            ("", gradpath.ArgumentError, ("path",)),
            ("a\0b", gradpath.ArgumentError, ("zero byte",)),
            ("a\ud800", gradpath.ArgumentError, ("surrogate",)),
            (3, TypeError, ("path", "int")),
            (None, TypeError, ("path",)),
        ]:
            with self.subTest(path), self.raises(kind, *words):
                gradpath.Model.open(path)

    def test_devices_are_shared(self):
        a = gradpath.Model.open(TINY, device="cpu", threads=1)
        b = gradpath.Model.open(TINY, device="CPU", threads=1)
        self.assertIs(a.device, b.device)
        self.assertIsNot(a.device, tiny().device)
        self.assertIs(gradpath.Device.open("cpu", threads=1), a.device)
        c = gradpath.Model.open(TINY, device=a.device)
        a.device.close()
        self.assertIsNot(gradpath.Device.open("cpu", threads=1), a.device)
        # Models keep their device.
        self.assertEqual(len(gradpath.score(c, ids(), "eap").top(3)), 3)
        for options, words in [
            ({"device": "gpu"}, ("gpu",)), ({"threads": 0}, ("threads",)), ({"memory": "lots"}, ("lots", "6GiB")),
            ({"device": "cpu", "precision": "tf32"}, ("precision",)), ({"memory": 1 << 62}, ("memory",)),
            ({"device": c.device, "threads": 2}, ("threads", "open already")),
        ]:
            with self.subTest(options), self.raises(gradpath.Error, *words):
                gradpath.Model.open(TINY, **options)
        self.assertEqual(gradpath.Device.open("cpu", memory="64MiB").describe()["memory"], 64 << 20)
        self.assertIn("cpu", repr(gradpath.Device.open("cpu")))

    def test_auto_is_the_device_that_it_names(self):
        auto = gradpath.Device.open("auto")
        self.assertIs(auto, gradpath.Device.open(auto.name))

    def test_memory_limits_batches(self):
        model = gradpath.Model.open("demo", device="cpu", memory="32MiB")
        made = gradpath.score(model, ioi(), "eap").provenance
        self.assertLessEqual(made["batch_size"], 6)

    def test_from_weights(self):
        expected = gradpath.score(tiny(), ids(), "eap").matrix
        given = tensors()
        variants = {
            "as they are": given,
            "prefixed": {f"transformer.{k}": v for k, v in given.items()},
            "float64": {k: v.astype(np.float64) for k, v in given.items()},
            "with gaps": {k: np.stack([v, v], -1)[..., 0] for k, v in given.items()},
            "Fortran": {k: np.asfortranarray(v) for k, v in given.items()},
            "state_dict": {**given, "lm_head.weight": given["wte.weight"], "h.0.attn.bias": np.ones((1, 1, 32, 32)),
                           "h.0.attn.masked_bias": np.array(-1e4)},
            "like torch": {k: Foreign(v) for k, v in given.items()},
            "by DLPack": {k: Packed(v) for k, v in given.items()},
        }
        if not hasattr(np, "from_dlpack"):
            del variants["by DLPack"]
        for name, variant in variants.items():
            with self.subTest(name), gradpath.Model.from_weights(config(), variant, name=name) as model:
                self.assertEqual(model.name, name)
                self.assertTrue((gradpath.score(model, ids(), "eap").matrix == expected).all())
        with gradpath.Model.from_weights((TINY / "config.json").read_text(), given) as model:
            self.assertEqual(model.name, "unnamed")
            with self.raises(gradpath.InputError, "no vocabulary"):
                model.tokenizer
            with self.raises(gradpath.InputError, "vocabulary"):
                gradpath.score(model, ioi())
        with gradpath.Model.from_weights(Config(), given) as model:
            self.assertEqual(model.n_layers, 2)

    def test_weights_with_a_vocabulary(self):
        root = ROOT / "models" / "demo"
        shape, given = (root / "config.json").read_text(), tensors(root / "model.safetensors")
        expected = gradpath.score(demo(), ioi(), "eap").matrix
        with gradpath.Tokenizer.open("demo") as words:
            for vocabulary in ("demo", root, str(root), words):
                with self.subTest(vocabulary), gradpath.Model.from_weights(shape, given, vocabulary=vocabulary) as model:
                    self.assertTrue((gradpath.score(model, ioi(), "eap").matrix == expected).all())
                    self.assertEqual(model.tokenizer.token(" Anna"), words.token(" Anna"))
                    self.assertIs(model.tokenizer, words if vocabulary is words else model.tokenizer)
                if vocabulary is words:
                    # It is the caller's, and the model's own is closed with the model.
                    self.assertFalse(words.closed)
            with gradpath.Model.from_weights(shape, given, vocabulary=words) as model:
                words.close()
                self.assertTrue((gradpath.score(model, ioi(), "eap").matrix == expected).all())
                with self.raises(gradpath.HandleError, "tokenizer is closed"):
                    model.tokenizer.encode("a")
            with self.raises(gradpath.HandleError, "tokenizer is closed"):
                gradpath.Model.from_weights(shape, given, vocabulary=words)
        with gradpath.Model.from_weights(shape, given, vocabulary="demo") as model:
            mine = model.tokenizer
        self.assertTrue(mine.closed)
        with self.raises(gradpath.InputError, "vocabulary"):
            gradpath.Model.from_weights(config(), tensors(), vocabulary=TINY)
        with self.raises(TypeError, "int"):
            gradpath.Model.from_weights(config(), tensors(), vocabulary=3)

    def test_weights_that_do_not_fit(self):
        given = tensors()
        name = "h.0.attn.c_attn.weight"
        less = {k: v for k, v in given.items() if k != name}
        for kind, words, changed in [
            (gradpath.InputError, (name,), less),
            (gradpath.InputError, (name, "transposed"), {**given, name: given[name].T}),
            (gradpath.InputError, (name, "shape"), {**given, name: given[name][:, :-1]}),
            (gradpath.InputError, (name, "finite"), {**given, name: given[name] * np.inf}),
            (gradpath.InputError, ("another.weight",), {**given, "another.weight": given[name]}),
            (gradpath.InputError, ("lm_head.weight", "tied"), {**given, "lm_head.weight": given["wte.weight"] + 1}),
            (TypeError, (name, "int64"), {**given, name: np.ones(given[name].shape, int)}),
            (TypeError, (name, "complex"), {**given, name: given[name].astype(complex)}),
            (TypeError, (name, "must be an array"), {**given, name: "weights"}),
            (TypeError, ("name must be a str",), {**given, 3: given[name]}),
            (gradpath.ArgumentError, ("surrogate",), {**given, "\ud800": given[name]}),
            (gradpath.Error, ("zero byte",), {**less, name + "\0": given[name]}),
            (TypeError, ("dict of arrays",), [given[name]]),
        ]:
            with self.subTest(words), self.raises(kind, *words):
                gradpath.Model.from_weights(config(), changed)
        for kind, words, changed in [
            (gradpath.Error, ("n_head",), {**config(), "n_head": 5}),
            (gradpath.ArgumentError, ("config",), "{"),
            (TypeError, ("config",), 3),
        ]:
            with self.subTest(words), self.raises(kind, *words):
                gradpath.Model.from_weights(changed, given)

    def test_weights_are_copied(self):
        given = {k: v.copy() for k, v in tensors().items()}
        with gradpath.Model.from_weights(config(), given) as model:
            for array in given.values():
                array[...] = 0
            self.assertTrue((gradpath.score(model, ids(), "eap").matrix == gradpath.score(tiny(), ids(), "eap").matrix).all())


class Foreign:
    """As torch tensors are: with a gradient and on another device, so that numpy gets at them by detach and cpu alone."""

    def __init__(self, array, steps=()):
        self._array, self._steps = array, steps
        self.dtype = "torch.float32"

    def detach(self):
        return Foreign(self._array, (*self._steps, "detach"))

    def cpu(self):
        return Foreign(self._array, (*self._steps, "cpu"))

    def __array__(self, dtype=None, copy=None):
        if self._steps != ("detach", "cpu"):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self._array


class Packed:
    """An array that speaks DLPack alone."""

    def __init__(self, array):
        self._array = array.copy()

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class Config:
    """As the configs of transformers are."""

    def to_dict(self):
        return config()


class Tokenizers(Case):
    def test_there_and_back(self):
        tokenizer = demo().tokenizer
        ids = tokenizer.encode("When Anna and Paul went")
        self.assertEqual((ids.dtype, ids.ndim), (np.int32, 1))
        self.assertEqual(tokenizer.decode(ids), "When Anna and Paul went")
        self.assertEqual(tokenizer.decode(list(map(int, ids))), "When Anna and Paul went")
        self.assertEqual((len(tokenizer.encode("")), tokenizer.decode([])), (0, ""))
        self.assertEqual(tokenizer.encode("<|endoftext|>").tolist(), [2542])
        self.assertEqual(tokenizer.token(" Anna"), int(tokenizer.encode(" Anna")[0]))
        self.assertEqual(tokenizer.n_vocabulary, 2543)
        with gradpath.Tokenizer.open(DATA / "tokenizer-gpt2") as gpt2:
            golden = "Zürich \0 \U0001f600" * 50
            self.assertEqual(gpt2.decode(gpt2.encode(golden)), golden)
            long = "the quick brown fox " * 5000
            self.assertEqual(gpt2.decode(gpt2.encode(long)), long)
        for kind, call in [
            (gradpath.ArgumentError, lambda: tokenizer.encode("\ud800")),
            (gradpath.ArgumentError, lambda: tokenizer.decode([2543])),
            (gradpath.ArgumentError, lambda: tokenizer.decode([-1])),
            (gradpath.ArgumentError, lambda: tokenizer.decode([1 << 40])),
            (gradpath.ArgumentError, lambda: tokenizer.decode([[1, 2]])),
            (gradpath.ArgumentError, lambda: tokenizer.token(" Anna and")),
            (TypeError, lambda: tokenizer.decode([1.5])),
            (TypeError, lambda: tokenizer.encode(b"bytes")),
            (TypeError, lambda: tokenizer.decode(5)),
            (gradpath.InputError, lambda: gradpath.Tokenizer.open(TINY)),
        ]:
            with self.raises(kind):
                call()


class Prompts(Case):
    def test_texts(self):
        clean = "When Anna and Paul went to the shop, Paul gave a book to"
        corrupted = "When Anna and Paul went to the shop, Mary gave a book to"
        pairs = gradpath.PromptPairs([clean], [corrupted], [" Anna"], [[" Paul", " Mary"]], labels=["ABBA"], positions=[{"S2": 9}])
        said = pairs.describe(demo())
        self.assertEqual((said["n_pairs"], len(pairs), said["task"], said["metric"]), (1, 1, "prompts", "logit-diff"))
        self.assertEqual(said["lengths"], [len(demo().tokenizer.encode(clean)) + 1])
        without = gradpath.PromptPairs([clean], [corrupted], [" Anna"], [" Paul"], bos=False)
        self.assertEqual(without.describe(demo())["lengths"], [len(demo().tokenizer.encode(clean))])
        self.assertEqual(len(gradpath.score(demo(), pairs, "eap").top(2)), 2)
        gradpath.path_patch(demo(), pairs, positions="S2")
        pairs.save(self.folder / "pairs.jsonl", demo())
        again = gradpath.PromptPairs.load(self.folder / "pairs.jsonl")
        self.assertTrue((gradpath.score(demo(), again, "eap").matrix == gradpath.score(demo(), pairs, "eap").matrix).all())
        self.assertEqual(json.loads((self.folder / "pairs.jsonl").read_text())["label"], "ABBA")

    def test_ids_and_texts_are_the_same_prompts(self):
        tokenizer = demo().tokenizer
        clean = "When Anna and Paul went to the shop, Paul gave a book to"
        corrupted = clean.replace(", Paul", ", Mary")
        texts = gradpath.PromptPairs([clean], [corrupted], [" Anna"], [" Paul"], bos=False)
        numbers = gradpath.PromptPairs(
            [tokenizer.encode(clean)], [tokenizer.encode(corrupted).tolist()], np.array([tokenizer.token(" Anna")]),
            [{tokenizer.token(" Paul")}])
        self.assertTrue((gradpath.score(demo(), texts, "eap").matrix == gradpath.score(demo(), numbers, "eap").matrix).all())

    def test_the_ids_that_the_model_sees(self):
        tokenizer = demo().tokenizer
        clean = "When Anna and Paul went to the shop, Paul gave a book to"
        corrupted = clean.replace(", Paul", ", Mary")
        texts = gradpath.PromptPairs(
            [clean] * 2, [corrupted] * 2, [" Anna", " Anna"], [[" Paul", " Mary"], " Paul"], labels=["ABBA", "B"],
            positions=[{"S2": 9}, {}])
        first, second = texts.ids(demo())
        (begin,) = tokenizer.encode("<|endoftext|>")
        self.assertEqual(first.clean.tolist(), [begin, *tokenizer.encode(clean)])
        self.assertEqual(first.corrupted.tolist(), [begin, *tokenizer.encode(corrupted)])
        self.assertEqual((first.answers.tolist(), second.wrong_answers.tolist()), ([tokenizer.token(" Anna")], [tokenizer.token(" Paul")]))
        self.assertEqual(sorted(first.wrong_answers.tolist()), sorted(map(tokenizer.token, (" Paul", " Mary"))))
        self.assertEqual((first.label, second.label, first.positions, second.positions), ("ABBA", "B", {"S2": 10}, {}))
        for array in (first.clean, first.corrupted, first.answers, first.wrong_answers):
            self.assertEqual((array.dtype, array.ndim), (np.int32, 1))
        made = ioi().ids(demo())
        self.assertEqual([len(pair.clean) for pair in made], ioi().describe(demo())["lengths"])
        self.assertEqual(made[0].id, "ioi-0")
        again = gradpath.PromptPairs(
            [p.clean for p in made], [p.corrupted for p in made], [p.answers for p in made], [p.wrong_answers for p in made])
        self.assertTrue((gradpath.score(demo(), again, "eap").matrix == demo_scores().matrix).all())
        (bare,) = gradpath.PromptPairs([[1, 2]], [[1, 3]]).ids(tiny())
        self.assertEqual((bare.clean.tolist(), bare.answers.tolist(), bare.label, bare.positions), ([1, 2], [], None, {}))
        self.assertEqual((bare.answers.dtype, bare == bare), (np.int32, True))

    def test_tasks(self):
        pairs = gradpath.PromptPairs.task("greater-than", n=5, seed=3)
        self.assertEqual((len(pairs), pairs.describe(demo())["seed"], pairs.describe(demo())["metric"]), (5, 3, "prob-diff"))
        with self.raises(gradpath.ArgumentError, "greater-then"):
            gradpath.PromptPairs.task("greater-then").describe(demo())
        with self.raises(gradpath.ArgumentError, "n is 0"):
            gradpath.PromptPairs.task("ioi", n=0)

    def test_files(self):
        (self.folder / "pairs.jsonl").write_text('{"clean_ids": [1, 2], "corrupted_ids": [1, 3]}\n' * 3)
        pairs = gradpath.PromptPairs.load(self.folder / "pairs.jsonl", limit=2)
        with self.raises(TypeError, "prepare"):
            len(pairs)
        self.assertTrue(pairs)
        self.assertEqual((pairs.describe(tiny())["n_pairs"], pairs.describe(tiny())["metric"]), (2, "kl"))
        with self.raises(gradpath.InputError, "answer"):
            gradpath.score(tiny(), pairs, "eap-ig", metric="logit-diff")
        self.assertGreater(np.abs(gradpath.score(tiny(), pairs, "eap-ig", metric="kl").matrix).max(), 0)
        with self.raises(gradpath.InputError, "nothing.jsonl"):
            gradpath.PromptPairs.load("nothing.jsonl").describe(tiny())
        csv = DATA / "tasks" / "ioi" / "gpt2.csv"
        with self.raises(gradpath.InputError):
            gradpath.PromptPairs.load(csv).describe(demo())

    def test_what_is_said_without_a_model(self):
        for kind, words, arguments in [
            (gradpath.ArgumentError, ("differ in length", "clean has 1", "corrupted has 2"), ([[1]], [[1], [2]])),
            (gradpath.ArgumentError, ("answers has 2",), ([[1]], [[2]], [1, 2])),
            (gradpath.ArgumentError, ("clean is empty",), ([], [])),
            (gradpath.ArgumentError, ("texts and ids",), ([[1]], [[2]], [[" Mary", 3]])),
            (gradpath.ArgumentError, ("surrogate",), (["\ud800"], ["a"])),
            (gradpath.ArgumentError, ("clean[0]",), ([[1 << 40]], [[2]])),
            (TypeError, ("clean", "list"), ("clean", "corrupted")),
            (TypeError, ("clean[0]",), ([3.5], [3.5])),
            (TypeError, ("corrupted[0]", "float64"), ([[1, 2]], [[1.5, 2]])),
            (TypeError, ("answers",), ([[1]], [[2]], 3)),
        ]:
            with self.subTest(words), self.raises(kind, *words):
                gradpath.PromptPairs(*arguments)

    def test_what_only_a_model_can_say(self):
        for words, arguments in [
            (("61",), ([[1, 61]], [[1, 2]])),
            (("-1",), ([[1, -1]], [[1, 2]])),
            (("tokens",), ([[1, 2]], [[1, 2, 3]])),
            (("vocabulary",), (["text"], ["text"])),
            (("32",), ([[1] * 33], [[1] * 33])),
        ]:
            with self.subTest(words), self.raises(gradpath.InputError, *words):
                gradpath.score(tiny(), gradpath.PromptPairs(*arguments))

    def test_prepared_once_per_model(self):
        pairs = ids()
        self.assertIs(pairs.prepare(tiny()), pairs.prepare(tiny()))
        with gradpath.Model.open(TINY) as other:
            mine = pairs.prepare(other)
            self.assertIsNot(mine, pairs.prepare(tiny()))
        self.assertTrue(mine.closed)

    def test_warnings(self):
        empty = gradpath.Circuit.from_edges([], 4, 8)
        for call in (
            lambda pairs: pairs.describe(demo()), lambda pairs: pairs.ids(demo()), lambda pairs: gradpath.score(demo(), pairs, "eap"),
            lambda pairs: gradpath.evaluate(demo(), pairs, empty), lambda pairs: gradpath.acdc(demo(), pairs, tau=1e9),
        ):
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                call(gradpath.PromptPairs(["The doctor"], ["The doctors"], ["is"], ["are"]))
            self.assertIn("without a space", str(said[0].message))
            for warning in said:
                self.assertTrue(issubclass(warning.category, gradpath.InputWarning))
                # Of the line that has called the package, however deep the package has noticed it.
                self.assertEqual(warning.filename, __file__)
