"""What calls are given that they cannot use, and what they say then."""

import copy
import pickle
import subprocess
import sys
import warnings

import gradpath
import numpy as np
from support import Case, ROOT, config, demo, demo_scores, ids, ioi, tensors, tiny

ArgumentError, HandleError, Pairs = gradpath.ArgumentError, gradpath.HandleError, gradpath.PromptPairs


def value(*_):
    return 0.0


class Refused(Case):
    def each(self, *rows):
        for kind, words, call in rows:
            with self.subTest(words), warnings.catch_warnings():
                warnings.simplefilter("error")
                with self.raises(kind, *([words] if isinstance(words, str) else words)):
                    call()

    def test_masked_arrays(self):
        masked, matrix = np.ma.array([1, 2, 3], mask=[0, 1, 0]), demo_scores().matrix
        name = "h.0.ln_1.bias"
        self.each(
            (TypeError, ("clean", "masked"), lambda: Pairs(masked, [[1]])),
            (TypeError, ("clean[0]", "masked"), lambda: Pairs([masked], [[1, 2, 3]])),
            (TypeError, ("corrupted[0]", "masked"), lambda: Pairs([[1, 2, 3]], [masked])),
            (TypeError, ("answers", "masked"), lambda: Pairs([[1, 2, 3]], [[1, 2, 4]], np.ma.array([5], mask=[1]))),
            (TypeError, ("matrix", "masked"), lambda: gradpath.Scores.from_matrix(np.ma.array(matrix), 4, 8)),
            (TypeError, ("edges", "masked"), lambda: gradpath.Circuit.from_edges(np.ma.array(matrix > 0), 4, 8)),
            (TypeError, (name, "masked"), lambda: gradpath.Model.from_weights(config(), {**tensors(), name: np.ma.array(tensors()[name])})),
            (TypeError, ("ids", "masked"), lambda: demo().tokenizer.decode(masked)),
            (TypeError, ("steps", "masked"), lambda: gradpath.score(demo(), ioi(), steps=masked)),
        )

    def test_dicts_and_sets_are_no_lists(self):
        circuit, scores = demo_scores().top_n(3), demo_scores()
        self.each(
            (TypeError, ("clean", "dict"), lambda: Pairs({0: "a"}, ["b"])),
            (TypeError, ("clean", "set"), lambda: Pairs({"a"}, ["b"])),
            (TypeError, ("answers", "dict"), lambda: Pairs(["a"], ["b"], {0: 5})),
            (TypeError, ("answers[0]", "dict"), lambda: Pairs(["a"], ["b"], [{0: 5}])),
            (TypeError, ("labels", "set"), lambda: Pairs(["a"], ["b"], labels={"x"})),
            (TypeError, ("circuits", "set"), lambda: gradpath.evaluate(demo(), ioi(), {circuit})),
            (TypeError, ("scores", "dict"), lambda: gradpath.curve(demo(), ioi(), {"a": scores})),
            (TypeError, ("scores", "Circuit"), lambda: gradpath.curve(demo(), ioi(), circuit)),
            (TypeError, ("scores[0]", "None"), lambda: gradpath.curve(demo(), ioi(), [None])),
            (TypeError, ("fractions", "set"), lambda: gradpath.curve(demo(), ioi(), scores, fractions={0.1})),
            (TypeError, ("of", "dict"), lambda: gradpath.score(demo(), ioi(), "ensemble", of={"eap": 1})),
            (TypeError, ("edges", "dict"), lambda: gradpath.Circuit.from_edges({"input->m0": 1}, 4, 8)),
            (TypeError, ("edges", "None"), lambda: gradpath.Circuit.from_edges(None, 4, 8)),
            (TypeError, ("scores", "list"), lambda: gradpath.Scores.from_edges([1], 4, 8)),
        )
        # Names of edges, and the right answers of one pair, have no order.
        self.assertEqual(len(gradpath.Circuit.from_edges({"input->m0"}, 4, 8)), 1)
        self.assertEqual(sorted(Pairs([[1, 2]], [[1, 3]], [{5, 6}]).ids(tiny())[0].answers.tolist()), [5, 6])

    def test_nothing_of_several(self):
        self.each(
            (ArgumentError, "of is empty", lambda: gradpath.score(demo(), ioi(), "ensemble", of=[])),
            (TypeError, "of[0]", lambda: gradpath.score(demo(), ioi(), "ensemble", of=[3])),
            (ArgumentError, "receivers is empty", lambda: gradpath.path_patch(demo(), ioi(), receivers=[])),
            (ArgumentError, "senders is empty", lambda: gradpath.path_patch(demo(), ioi(), senders=())),
            (ArgumentError, "fractions is empty", lambda: gradpath.curve(demo(), ioi(), demo_scores(), fractions=[])),
        )

    def test_numbers(self):
        scores = demo_scores()
        matrix = scores.matrix
        shapes = ((4.7, TypeError), ("4", TypeError), (True, TypeError), (None, TypeError), (0, ArgumentError), (1 << 40, ArgumentError))
        for layers, kind in shapes:
            with self.subTest(layers), self.raises(kind, "n_layers"):
                gradpath.Scores.from_matrix(matrix, n_layers=layers, n_heads=8)
        self.assertIs(gradpath.Graph.of(np.int64(4), np.uint8(8)), gradpath.Graph.of(4, 8))
        large = matrix.astype(np.float64)
        large[3, 40] = 1e300
        name = "h.0.ln_1.bias"
        bias = tensors()[name].astype(np.float64)
        bias[2] = -1e39
        self.each(
            (ArgumentError, ("matrix[3, 40]", "1e+300"), lambda: gradpath.Scores.from_matrix(large, 4, 8)),
            (ArgumentError, (f"{name}[2]", "float32"), lambda: gradpath.Model.from_weights(config(), {**tensors(), name: bias})),
            (ArgumentError, "input->m0", lambda: gradpath.Scores.from_edges({"input->m0": 1e300}, 4, 8)),
            (ArgumentError, "input->m0", lambda: gradpath.Scores.from_edges({"input->m0": 10**400}, 4, 8)),
            (TypeError, ("input->m0", "str"), lambda: gradpath.Scores.from_edges({"input->m0": "1"}, 4, 8)),
            (ArgumentError, "n is -1", lambda: scores.top(-1)),
            (TypeError, ("n must be an int", "str"), lambda: scores.top("3")),
            (TypeError, ("n must be an int", "bool"), lambda: scores.top_n(True)),
            (TypeError, ("n must be an int", "float"), lambda: scores.greedy(3.0)),
            (TypeError, "least", lambda: scores.threshold("x")),
            (ArgumentError, "32 bits", lambda: Pairs([[2**70]], [[1]])),
            (ArgumentError, "32 bits", lambda: Pairs([[2**63, -1]], [[1, 2]])),
            (ArgumentError, "32 bits", lambda: Pairs([[1]], [[2]], [2**70])),
            (TypeError, "answers[1] is None", lambda: Pairs(["a", "b"], ["c", "d"], [" x", None])),
            (TypeError, "clean=[[1, 2, 3]]", lambda: Pairs([1, 2, 3], [1, 2, 4])),
            (TypeError, ("clean", "without dimensions"), lambda: Pairs(np.array(5), [1])),
            (ArgumentError, "n is 0", lambda: Pairs.task("ioi", n=0)),
            (TypeError, "n must be an int", lambda: Pairs.task("ioi", n="4")),
            (TypeError, "limit", lambda: Pairs.load("x.jsonl", limit="3")),
            (TypeError, "positions", lambda: gradpath.path_patch(demo(), ioi(), positions=1.5)),
            (ArgumentError, "6GiB", lambda: gradpath.Device.open("cpu", memory="9" * 400)),
        )

    def test_flags(self):
        scores = demo_scores()
        self.each(
            (TypeError, "fill must be", lambda: scores.top_n(5, fill=1)),
            (TypeError, "prune must be", lambda: scores.greedy(5, prune="no")),
            (TypeError, "signed must be", lambda: scores.top(5, signed=1)),
            (TypeError, "prune must be", lambda: scores.threshold(0.1, prune=0)),
            (TypeError, "greedy must be", lambda: gradpath.curve(demo(), ioi(), scores, greedy=1)),
            (TypeError, "bos must be", lambda: Pairs(["a"], ["b"], bos=1)),
            (TypeError, "hard_corruption must be", lambda: Pairs.load("x.csv", task="ioi", hard_corruption="yes")),
            (TypeError, "freeze_mlps must be", lambda: gradpath.path_patch(demo(), ioi(), freeze_mlps=1)),
            (TypeError, "node_masks must be", lambda: gradpath.edge_prune(demo(), ioi(), node_masks=1)),
            (TypeError, "loss must be", lambda: gradpath.Metric(value, loss="no")),
        )
        self.assertEqual(len(scores.top_n(5, prune=np.bool_(False))), 5)

    def test_names(self):
        self.each(
            (ArgumentError, "method holds a zero byte", lambda: gradpath.score(demo(), ioi(), "eap\0x")),
            (TypeError, ("method", "bytes"), lambda: gradpath.score(demo(), ioi(), b"eap")),
            (ArgumentError, "method is empty", lambda: gradpath.score(demo(), ioi(), "")),
            (ArgumentError, "metric is empty", lambda: gradpath.score(demo(), ioi(), metric="")),
            (TypeError, ("metric", "bytes"), lambda: gradpath.score(demo(), ioi(), metric=b"kl")),
            (TypeError, ("ablation", "bytes"), lambda: gradpath.score(demo(), ioi(), ablation=b"zero")),
            (ArgumentError, "ablation holds a zero byte", lambda: gradpath.score(demo(), ioi(), ablation="zero\0")),
            (TypeError, ("steps", "object"), lambda: gradpath.score(demo(), ioi(), steps=object())),
            (TypeError, ("metric's name", "int"), lambda: gradpath.Metric(value, 3)),
            (ArgumentError, ("metric's name", "surrogate"), lambda: gradpath.Metric(value, "\ud800")),
            (ArgumentError, ("metric's name", "zero byte"), lambda: gradpath.Metric(value, "a\0b")),
            (TypeError, ("path", "bytes"), lambda: gradpath.Model.open(b"demo")),
            (TypeError, ("path", "bytes"), lambda: gradpath.Scores.load(b"scores.json")),
        )

    def test_other_objects(self):
        self.each(
            (TypeError, ("model", "str"), lambda: ioi().describe("demo")),
            (TypeError, ("model", "None"), lambda: ioi().ids(None)),
            (TypeError, ("Circuit", "None"), lambda: demo_scores().top_n(3).overlap(None)),
            (TypeError, ("scores", "int"), lambda: gradpath.Circuit.from_edges(["input->m0"], 4, 8, scores=3)),
        )


class Unmade(Case):
    def test_without_init(self):
        made = [kind.__new__(kind) for kind in (gradpath.Scores, gradpath.Circuit, gradpath.Model, gradpath.Device, gradpath.Tokenizer)]

        class Lazy(gradpath.Scores):
            def __init__(self):
                pass

        for thing in [*made, Lazy()]:
            with self.subTest(type(thing).__name__):
                thing.close()
                self.assertTrue(thing.closed)
                self.assertIn("closed", repr(thing))
                with self.raises(HandleError, "__init__"):
                    thing.describe()
        for call in (lambda: made[0].matrix, lambda: made[1].prune(), lambda: made[2].device, lambda: made[2].tokenizer,
                     lambda: gradpath.score(made[2], ioi()), lambda: made[4].encode("a")):
            with self.raises(HandleError, "__init__"):
                call()

    def test_pairs_and_metrics(self):
        class NoPairs(Pairs):
            def __init__(self):
                pass

        class NoMetric(gradpath.Metric):
            def __init__(self):
                pass

        self.assertTrue(repr(NoPairs()))
        with self.raises(TypeError, "NoPairs"):
            gradpath.score(demo(), NoPairs())
        with self.raises(TypeError, "NoMetric"):
            gradpath.score(demo(), ioi(), metric=NoMetric())


class Words(Case):
    def test_reprs(self):
        self.assertEqual(repr(gradpath.Graph(1, 1)), "Graph(1 layer, 1 head, 8 edges)")
        self.assertEqual(repr(gradpath.Circuit.from_edges(["input->m0"], 1, 1)), "Circuit(1 of 8 edges, 2 nodes)")
        self.assertEqual(repr(Pairs(["a"], ["b"])), "PromptPairs(1 pair of prompts)")
        self.assertEqual(repr(Pairs.task("ioi", n=1)), "PromptPairs(1 pair of ioi, seed 0)")
        self.assertEqual(repr(demo().tokenizer), "Tokenizer(2543 tokens)")

    def test_closed_scores(self):
        scores = gradpath.Scores.from_edges({}, 2, 4)
        scores.close()
        for call in (lambda: scores.matrix, lambda: scores.graph, scores.__enter__):
            with self.raises(HandleError, "the scores are closed"):
                call()

    def test_a_long_text_is_not_repeated(self):
        try:
            demo().tokenizer.token("long " * 5000)
        except ArgumentError as e:
            self.assertLess(len(str(e)), 120)
            self.assertIn("15001 tokens", str(e))
        else:
            self.fail("15001 tokens are not one")

    def test_pickling_says_what_to_do(self):
        for thing, words in (
            (demo(), "Model.open"), (demo().device, "Device.open"), (demo().tokenizer, "Tokenizer.open"), (demo_scores(), "matrix"),
            (demo_scores().top_n(3), "edges"),
        ):
            for call in (pickle.dumps, copy.copy, copy.deepcopy):
                with self.raises(TypeError, "cannot be pickled or copied", type(thing).__name__, words):
                    call(thing)

    def test_help_shows_no_comment(self):
        import pydoc

        text = pydoc.plain(pydoc.render_doc(Pairs))
        self.assertNotIn("# ", text)


class Files(Case):
    def test_pairs_are_saved_as_what_is_read_back(self):
        pairs = ids()
        for name in ("pairs.json", "pairs", "pairs.csv", "pairs.txt"):
            with self.subTest(name), self.raises(ArgumentError, ".jsonl", name):
                pairs.save(self.folder / name, tiny())
        self.assertEqual(list(self.folder.iterdir()), [])
        pairs.save(self.folder / "pairs.jsonl", tiny())
        again = Pairs.load(self.folder / "pairs.jsonl")
        with self.raises(TypeError, "prepare"):
            len(again)
        again.prepare(tiny())
        self.assertEqual(len(again), 3)


class ReadOnly(Case):
    def test_no_array_of_the_library_can_be_made_writeable(self):
        scores = demo_scores()
        for array in (scores.matrix, scores.matrix.base, scores.graph.mask, scores.top_n(3).matrix):
            with self.assertRaises(ValueError):
                array.setflags(write=True)
            with self.assertRaises(ValueError):
                array[0] = 0


class Warned(Case):
    def test_a_vocabulary_that_is_too_large(self):
        with gradpath.Tokenizer.open("demo") as words, warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            gradpath.Model.from_weights(config(), tensors(), vocabulary=words).close()
        self.assertEqual([w.category for w in seen], [gradpath.InputWarning])
        self.assertIn("2543 tokens and the model has 61", str(seen[0].message))

    def test_what_the_library_says_of_pairs_is_said_once(self):
        pairs = ids()
        described = gradpath.prompts._Prepared.describe
        self.addCleanup(setattr, gradpath.prompts._Prepared, "describe", described)
        gradpath.prompts._Prepared.describe = lambda self: {**described(self), "warnings": ["no pair has an answer"]}
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            for _ in range(2):
                pairs.prepare(tiny())
                gradpath.score(tiny(), pairs, "eap")
        self.assertEqual([str(w.message) for w in seen], ["no pair has an answer"])
        self.assertEqual(seen[0].filename, __file__)


class Hints(Case):
    def test_arrays_pass_a_type_checker(self):
        try:
            from importlib.util import find_spec

            there = find_spec("mypy") is not None
        except ImportError:
            there = False
        if not there:
            self.skipTest("mypy is not installed")
        path = self.folder / "typed.py"
        path.write_text(
            "import gradpath\nimport numpy as np\n"
            "pairs = gradpath.PromptPairs(np.array([[1]]), corrupted=np.array([[1]]), answers=np.array([1]))\n"
            "def f(t: gradpath.Tokenizer) -> str:\n    return t.decode(t.encode('a'))\n")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", str(path)], cwd=self.folder, capture_output=True, text=True, timeout=300,
            env={"MYPYPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
