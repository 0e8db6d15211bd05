"""Scores: what they hold, how they are named, selected from, kept in files."""

import json

import gradpath
import numpy as np
from support import Case, DATA, cli, demo, demo_scores, framed, golden, ids, ioi, tiny


class Scores(Case):
    def test_matrix_is_the_library_s_memory(self):
        scores = demo_scores()
        matrix = scores.matrix
        self.assertEqual((matrix.dtype, matrix.shape), (np.float32, (37, 101)))
        self.assertEqual(matrix.ctypes.data, scores.matrix.ctypes.data)
        self.assertFalse(matrix.flags.writeable or matrix.flags.owndata)
        with self.raises(ValueError, "read-only"):
            matrix[0, 0] = 1
        self.assertEqual((len(scores.writers), len(scores.readers), len(scores)), (37, 101, 1519))
        self.assertTrue((matrix[~scores.graph.mask] == 0).all())
        self.assertEqual(int(scores.graph.mask.sum()), scores.graph.n_edges)

    def test_edges_by_name(self):
        scores = demo_scores()
        graph = scores.graph
        for row, column in [(0, 0), (3, graph.readers.index("m2")), (36, 100)]:
            writer, reader = graph.writers[row], graph.readers[column]
            self.assertEqual(scores[f"{writer}->{reader}"], float(scores.matrix[row, column]))
            self.assertEqual(scores[writer, reader], float(scores.matrix[row, column]))
        with self.raises(KeyError, "a0.h1", "needs <q>, <k> or <v>"):
            scores["input->a0.h1"]
        with self.raises(KeyError, "does not feed"):
            scores["m3->m0"]
        with self.raises(KeyError, "no writer"):
            scores["a9.h0->logits"]
        with self.raises(KeyError, "form a0.h1->m2"):
            scores["logits"]
        with self.raises(TypeError, "named by"):
            scores[3]

    def test_the_mask_is_that_of_the_golden_graph(self):
        rows = json.loads((DATA / "goldens" / "tiny-random" / "graph.json").read_text())
        graph = gradpath.Graph.of(2, 4)
        self.assertEqual((list(graph.writers), list(graph.readers)), (rows["writers"], rows["readers"]))
        mask = np.zeros(graph.shape, bool)
        for name, row, column in rows["edges"]:
            mask[row, column] = True
            self.assertEqual((graph.place(name), graph.edge(row, column)), ((row, column), name))
        self.assertTrue((mask == graph.mask).all())
        self.assertIs(graph, gradpath.Graph.of(2, 4))
        for bad, kind in ((0, gradpath.ArgumentError), (1 << 40, gradpath.ArgumentError), ("2", TypeError), (True, TypeError)):
            with self.raises(kind, "n_layers"):
                gradpath.Graph(bad, 4)

    def test_top_and_pandas(self):
        scores = demo_scores()
        top = scores.top(5)
        self.assertEqual(len(top), 5)
        self.assertEqual([abs(s) for _, s in top], sorted((abs(s) for _, s in top), reverse=True))
        self.assertEqual(abs(top[0].score), float(np.abs(scores.matrix).max()))
        self.assertEqual(scores.top(1, signed=True)[0].score, float(scores.matrix.max()))
        self.assertEqual(set(scores.top_n(5).edges), {edge for edge, _ in top})
        try:
            import pandas  # noqa: F401
        except ImportError:
            with self.raises(ImportError, "pandas"):
                scores.to_pandas()
            self.skipTest("pandas is not installed")
        frame = scores.to_pandas()
        self.assertEqual((len(frame), list(frame.columns)), (1519, ["edge", "writer", "reader", "score"]))

    def test_files(self):
        scores = demo_scores()
        for name in ("scores.json", "scores.safetensors"):
            path = self.folder / name
            scores.save(path)
            again = gradpath.Scores.load(path)
            self.assertTrue((again.matrix == scores.matrix).all(), name)
            self.assertEqual(again.provenance["method"], "eap")
        self.assertEqual(scores.provenance["task"], "ioi")
        with self.raises(gradpath.InputError, "missing.json"):
            gradpath.Scores.load(self.folder / "missing.json")
        with self.raises(gradpath.Error, "scores.txt"):
            scores.save(self.folder / "scores.txt")
        (self.folder / "damaged.json").write_text("{")
        with self.raises(gradpath.InputError, "damaged.json"):
            gradpath.Scores.load(self.folder / "damaged.json")
        self.assertFalse((self.folder / "scores.txt").exists())

    def test_from_matrix(self):
        graph = gradpath.Graph.of(2, 4)
        values = np.random.default_rng(0).normal(size=graph.shape) * graph.mask
        scores = gradpath.Scores.from_matrix(values, 2, 4)
        self.assertTrue((scores.matrix == values.astype(np.float32)).all())
        self.assertTrue((np.asarray(scores) == scores.matrix).all())
        self.assertIsNone(scores.provenance)
        self.assertIsNone(scores.node_scores)
        fortran = gradpath.Scores.from_matrix(np.asfortranarray(values), 2, 4)
        self.assertTrue((fortran.matrix == scores.matrix).all())
        strided = gradpath.Scores.from_matrix(np.repeat(values, 2, axis=1)[:, ::2], 2, 4)
        self.assertTrue((strided.matrix == scores.matrix).all())
        with self.raises(gradpath.ArgumentError, "[11, 27] is needed"):
            gradpath.Scores.from_matrix(values.T, 2, 4)
        with self.raises(TypeError, "int64"):
            gradpath.Scores.from_matrix(np.ones(graph.shape, int), 2, 4)
        with self.raises(TypeError, "must be an array"):
            gradpath.Scores.from_matrix("matrix", 2, 4)
        with self.raises(gradpath.InputError):
            gradpath.Scores.from_matrix(np.full(graph.shape, np.nan), 2, 4)
        with self.raises(gradpath.InputError, "does not feed"):
            gradpath.Scores.from_matrix(np.ones(graph.shape), 2, 4)

    def test_from_edges(self):
        scores = gradpath.Scores.from_edges({"a0.h1->m1": 2.0, "input->logits": -1}, 2, 4)
        self.assertEqual((scores["a0.h1->m1"], scores["input->logits"], int((scores.matrix != 0).sum())), (2, -1, 2))
        with self.raises(KeyError, "a9.h1"):
            gradpath.Scores.from_edges({"a9.h1->m1": 2.0}, 2, 4)

    def test_in_a_notebook(self):
        page = demo_scores()._repr_html_()
        self.assertIn("1,519 edges", page)
        self.assertIn(demo_scores().top(1)[0].edge.replace(">", "&gt;").replace("<", "&lt;"), page)
        self.assertIn("and 1,504 more", page)
        self.assertEqual(framed(page), demo_scores().top_n(200, prune=True).html())
        self.assertLess(len(page), 150_000)
        few = gradpath.Scores.from_edges({}, 1, 1)
        self.assertEqual(framed(few._repr_html_()), few.top_n(len(few), prune=True).html())
        few.close()
        self.assertEqual(few._repr_html_(), "Scores(closed)")


class Goldens(Case):
    def test_the_goldens_through_python(self):
        path = DATA / "goldens" / "tiny-random" / "equal" / "prompts.jsonl"
        pairs = gradpath.PromptPairs.load(path)
        expected = golden("tiny-random/equal")
        for key, options in {
            "EAP/logit_diff/per_item_mean": {"method": "eap"},
            "EAP/logit_diff/library_bs10": {"method": "eap", "normalization": "library", "batch_size": 10},
            "EAP[intervention=zero]/logit_diff/per_item_mean": {"method": "eap", "ablation": "zero"},
            "EAP-IG-inputs/logit_diff/per_item_mean": {"method": "eap-ig", "steps": 5},
            "EAP-IG-inputs/kl/per_item_mean": {"method": "eap-ig", "steps": 5, "metric": "kl"},
            "EAP-IG-activations/logit_diff/per_item_mean": {"method": "eap-ig-activations", "steps": 5},
            "clean-corrupted/logit_diff/per_item_mean": {"method": "clean-corrupted"},
            "exact/logit_diff/per_item_mean": {"method": "exact"},
            "exact/kl/per_item_mean": {"method": "exact", "metric": "kl"},
        }.items():
            with self.subTest(key):
                matrix = gradpath.score(tiny(), pairs, **options).matrix
                error = float(np.abs(matrix - expected[key]).max() / np.abs(expected[key]).max())
                self.assertLessEqual(error, 1e-5)

    def test_the_goldens_from_ids_and_weights(self):
        path = DATA / "goldens" / "tiny-random" / "equal" / "prompts.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        pairs = gradpath.PromptPairs(
            np.array([r["clean_ids"] for r in rows]), np.array([r["corrupted_ids"] for r in rows], np.uint16),
            [r["answer_ids"] for r in rows], [tuple(r["wrong_answer_ids"]) for r in rows])
        matrix = gradpath.score(tiny(), pairs, "eap").matrix
        self.assertTrue((matrix == gradpath.score(tiny(), gradpath.PromptPairs.load(path), "eap").matrix).all())


class SameBits(Case):
    def test_as_the_command_line(self):
        model = DATA.parent.parent / "models" / "demo"
        for method, options in {
            "eap": {}, "eap-ig": {"steps": 3}, "eap-gp": {"steps": 4}, "relp": {}, "atp-star": {}, "magnitude": {},
            "random": {"seed": 7}, "ensemble": {"of": "eap,relp", "by": "min"},
        }.items():
            with self.subTest(method):
                path = self.folder / f"{method}.safetensors"
                given = [part for name, value in options.items() for part in (f"--{name}", value)]
                cli("score", "--model", model, "--device", "cpu", "--task", "ioi", "--limit", 6, "--method", method, "--out", path, *given)
                if method == "ensemble":
                    options = {**options, "of": ["eap", "relp"]}
                if method == "random":
                    # The seed of the command line is that of the prompts too.
                    mine = gradpath.score(demo(), ioi(6, 7), method, **options)
                else:
                    mine = gradpath.score(demo(), ioi(), method, **options)
                self.assertTrue((mine.matrix == gradpath.Scores.load(path).matrix).all())
                if mine.node_scores is not None:
                    self.assertEqual(mine.node_scores.shape, (37,))

    def test_circuits_and_evaluations_as_the_command_line(self):
        model = DATA.parent.parent / "models" / "demo"
        scores = self.folder / "scores.json"
        demo_scores().save(scores)
        for way, mine in (("--top-n", demo_scores().top_n(60)), ("--greedy", demo_scores().greedy(60))):
            path = self.folder / f"{way}.json"
            cli("circuit", "--scores", scores, way, 60, "--out", path)
            self.assertEqual(mine.prune().edges, gradpath.Circuit.load(path).edges)
        out = self.folder / "evaluation.json"
        cli("evaluate", "--circuit", path, "--model", model, "--device", "cpu", "--task", "ioi", "--limit", 6, "--out", out)
        theirs = json.loads(out.read_text())
        found = gradpath.evaluate(demo(), ioi(), gradpath.Circuit.load(path))
        self.assertEqual((found.faithfulness, [found.low, found.high]), (theirs["faithfulness"], theirs["faithfulness_ci"]))
        self.assertEqual(found.pairs.circuit.tolist(), [item["circuit"] for item in theirs["items"]])


class Options(Case):
    def test_what_does_not_go(self):
        for kind, words, options in [
            (gradpath.ArgumentError, ("eap-pg",), {"method": "eap-pg"}),
            (gradpath.ArgumentError, ("steps",), {"method": "eap", "steps": 5}),
            (gradpath.ArgumentError, ("steps", "-1"), {"steps": -1}),
            (gradpath.ArgumentError, ("steps", "2.5"), {"steps": 2.5}),
            (gradpath.ArgumentError, ("metric",), {"metric": "logit-dif"}),
            (gradpath.ArgumentError, ("preset",), {"preset": "published"}),
            (gradpath.ArgumentError, ("ablation",), {"ablation": "none"}),
            (gradpath.ArgumentError, ("surrogate",), {"ablation": "\ud800"}),
            (TypeError, ("batch_sizes",), {"batch_sizes": 3}),
            (TypeError, ("metric",), {"metric": 3}),
            (TypeError, ("progress",), {"progress": "yes"}),
        ]:
            with self.subTest(options):
                with self.raises(kind, *words):
                    gradpath.score(tiny(), ids(), **options)

    def test_values_of_numpy_are_numbers(self):
        a = gradpath.score(tiny(), ids(), "eap-ig", steps=np.int64(3), batch_size=np.int32(2))
        b = gradpath.score(tiny(), ids(), "eap-ig", steps=3, batch_size="auto")
        self.assertLess(np.abs(a.matrix - b.matrix).max(), 1e-6)

    def test_objects_of_other_kinds(self):
        with self.raises(TypeError, "gradpath.Model"):
            gradpath.score("demo", ids())
        with self.raises(TypeError, "gradpath.PromptPairs"):
            gradpath.score(tiny(), [[1, 2, 3]])
