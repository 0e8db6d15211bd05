"""Circuits: how they are selected, named, kept, evaluated and searched."""

import inspect
import math
import re
from unittest import mock
from xml.etree import ElementTree

import gradpath
import numpy as np
from support import Case, cli, demo, demo_scores, framed, ids, ioi, tiny


class Circuits(Case):
    def test_selection(self):
        scores = demo_scores()
        circuit = scores.top_n(50)
        self.assertEqual((len(circuit), circuit.n_edges, int(circuit.matrix.sum())), (50, 50, 50))
        self.assertEqual((circuit.matrix.dtype, circuit.matrix.shape), (np.bool_, scores.matrix.shape))
        pruned = circuit.prune()
        self.assertLessEqual(set(pruned.edges), set(circuit.edges))
        self.assertEqual(pruned.edges, scores.top_n(50, prune=True).edges)
        self.assertEqual(len(scores.top_n(40, fill=True)), 40)
        self.assertEqual(len(scores.greedy(30)), 30)
        least = float(np.sort(np.abs(scores.matrix[scores.graph.mask]))[-20])
        self.assertEqual(len(scores.threshold(least)), 20)
        self.assertNotEqual(scores.top_n(700, signed=True).edges, scores.top_n(700).edges)
        with self.raises(gradpath.Error):
            scores.top_n(2000)
        with self.raises(gradpath.ArgumentError, "-1"):
            scores.top_n(-1)
        with self.raises(gradpath.ArgumentError, "threshold"):
            scores.threshold(-1.0)
        with self.raises(gradpath.ArgumentError, "NaN"):
            scores.threshold(float("nan"))

    def test_nodes(self):
        scores = gradpath.score(demo(), ioi(), "information-flow-routes")
        if scores.node_scores is None:
            with self.raises(gradpath.Error, "node"):
                scores.nodes(5)
        else:
            self.assertGreater(len(scores.nodes(5)), 0)

    def test_membership(self):
        circuit = gradpath.Circuit.from_edges(["a0.h1->m1", ("input", "logits")], 2, 4)
        self.assertEqual(circuit.edges, ["input->logits", "a0.h1->m1"])
        self.assertIn("a0.h1->m1", circuit)
        self.assertIn(("input", "logits"), circuit)
        self.assertNotIn("a0.h2->m1", circuit)
        self.assertEqual(list(circuit), circuit.edges)
        with self.raises(KeyError, "a0.h9"):
            "a0.h9->m1" in circuit
        again = gradpath.Circuit.from_edges(circuit.matrix, 2, 4)
        self.assertEqual(again.edges, circuit.edges)
        self.assertEqual(again.overlap(circuit), 1)
        self.assertEqual(again.overlap(gradpath.Circuit.from_edges(["input->logits"], 2, 4)), 0.5)
        empty = gradpath.Circuit.from_edges([], 2, 4)
        self.assertEqual((len(empty), bool(empty), empty.edges, empty.overlap(empty)), (0, True, [], 1))
        self.assertIsNone(circuit.scores)
        self.assertIsNone(circuit.provenance)
        self.assertEqual(circuit.details, {})
        with self.raises(gradpath.ArgumentError, "different graphs"):
            circuit.overlap(demo_scores().top_n(5))

    def test_what_is_no_circuit(self):
        graph = gradpath.Graph.of(2, 4)
        for kind, words, edges in [
            (KeyError, ("a9.h0",), ["a9.h0->logits"]),
            (TypeError, ("list of names",), "input->logits"),
            (TypeError, ("bool",), np.ones(graph.shape)),
            (gradpath.ArgumentError, ("[11, 27]",), np.ones((3, 3), bool)),
            (gradpath.ArgumentError, ("does not feed",), np.ones(graph.shape, bool)),
        ]:
            with self.subTest(words), self.raises(kind, *words):
                gradpath.Circuit.from_edges(edges, 2, 4)

    def test_files(self):
        circuit = demo_scores().top_n(50).prune()
        for name in ("circuit.json", "circuit.safetensors"):
            circuit.save(self.folder / name)
            again = gradpath.Circuit.load(self.folder / name)
            self.assertEqual(again.edges, circuit.edges)
            self.assertTrue((again.scores.matrix == demo_scores().matrix).all())
        with self.raises(gradpath.InputError, "none.json"):
            gradpath.Circuit.load(self.folder / "none.json")

    def test_in_a_notebook(self):
        circuit = demo_scores().top_n(50)
        page = circuit._repr_html_()
        self.assertIn("50 of 1,519 edges", page)
        self.assertEqual(framed(page), circuit.html())
        bare = gradpath.Circuit.from_edges(["input->logits"], 2, 4)
        self.assertIn("input-&gt;logits", bare._repr_html_())
        self.assertEqual(framed(bare._repr_html_()), bare.html())
        self.assertIn("0 of 110 edges", gradpath.Circuit.from_edges([], 2, 4)._repr_html_())
        bare.close()
        self.assertEqual(bare._repr_html_(), "Circuit(closed)")

    def test_a_graph_that_is_too_large_for_a_page(self):
        large = gradpath.Circuit.from_edges(["input->logits"], 64, 64)
        with self.raises(gradpath.InputError, "edges"):
            large.html()
        page = large._repr_html_()
        self.assertNotIn("<iframe", page)
        self.assertIn("at most", page)
        self.assertIn("input-&gt;logits", page)


class Drawings(Case):
    def test_as_the_command_line(self):
        circuit = demo_scores().top_n(50).prune()
        circuit.save(self.folder / "circuit.json")
        for kind, mine in (("svg", circuit.svg()), ("dot", circuit.dot()), ("html", circuit.html())):
            with self.subTest(kind):
                theirs, written = self.folder / f"theirs.{kind}", self.folder / f"mine.{kind}"
                cli("draw", "--circuit", self.folder / "circuit.json", "--out", theirs)
                self.assertTrue(mine == theirs.read_text("utf-8"))
                circuit.draw(written)
                self.assertEqual(mine, written.read_text("utf-8"))
        ElementTree.fromstring(circuit.svg())
        self.assertTrue(circuit.dot().startswith("digraph"))
        self.assertEqual(set(re.findall("https?://[a-z.0-9]*", circuit.html())) - {"http://www.w3.org"}, set())

    def test_titles(self):
        circuit = gradpath.Circuit.from_edges(["input->logits"], 2, 4)
        title = "A <b>\"title\"</b> & 'more' \u00fc"
        self.assertIn("<title>A &lt;b&gt;", circuit.svg(title))
        self.assertIn("more", circuit.dot(title))
        self.assertIn("more", circuit.html(title=title))
        circuit.draw(self.folder / "a.svg", title)
        self.assertEqual((self.folder / "a.svg").read_text("utf-8"), circuit.svg(title))
        with self.raises(gradpath.ArgumentError, "title"):
            circuit.svg(3)

    def test_files(self):
        circuit = gradpath.Circuit.from_edges(["input->logits"], 2, 4)
        path = self.folder / "a.SVG"
        path.write_text("before")
        path.chmod(0o640)
        (self.folder / "link.svg").symlink_to(path)
        circuit.draw(str(self.folder / "link.svg"))
        self.assertEqual((path.read_text(), path.stat().st_mode & 0o777), (circuit.svg(), 0o640))
        self.assertTrue((self.folder / "link.svg").is_symlink())
        (self.folder / "folder.dot").mkdir()
        for kind, words, place in [
            (gradpath.ArgumentError, ("a.png", ".svg, .dot, .html"), self.folder / "a.png"),
            (gradpath.ArgumentError, (".svg",), self.folder / "svg"),
            (gradpath.InputError, ("none/a.svg", "No such file"), self.folder / "none" / "a.svg"),
            (gradpath.InputError, ("folder.dot", "directory"), self.folder / "folder.dot"),
            (TypeError, ("path",), None),
        ]:
            with self.subTest(words), self.raises(kind, *words):
                circuit.draw(place)
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")), self.raises(gradpath.InputError, "No space"):
            circuit.draw(path, "another")
        self.assertEqual(path.read_text(), circuit.svg())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["a.SVG", "folder.dot", "link.svg"])
        circuit.close()
        for call in (circuit.svg, circuit.dot, circuit.html, lambda: circuit.draw(path)):
            with self.raises(gradpath.HandleError, "closed"):
                call()


class Evaluations(Case):
    def test_one_circuit(self):
        full = gradpath.Circuit.from_edges(demo_scores().graph.mask, 4, 8)
        found = gradpath.evaluate(demo(), ioi(), full)
        self.assertAlmostEqual(found.faithfulness, 1, places=6)
        self.assertAlmostEqual(found.kl, 0, places=5)
        self.assertEqual((found.exact_match, found.n_edges), (1, 1519))
        self.assertEqual((len(found.pairs), found.pairs.full.dtype, found.pairs.exact_match.dtype), (6, np.float64, np.bool_))
        self.assertAlmostEqual(float(found.pairs.full.mean()), found.full, places=9)
        self.assertEqual(found.provenance["task"], "ioi")
        self.assertIn("faithfulness", found._repr_html_())

    def test_several_circuits(self):
        circuits = [demo_scores().top_n(n).prune() for n in (20, 200)]
        found = gradpath.evaluate(demo(), ioi(), circuits, metric="prob-diff", ablation="zero", seed=3, batch_size=2)
        self.assertEqual([f.n_edges for f in found], [len(c) for c in circuits])
        self.assertLessEqual(found[1].low, found[1].faithfulness)
        self.assertLessEqual(found[1].faithfulness, found[1].high)
        alone = gradpath.evaluate(demo(), ioi(), circuits[0], metric="prob-diff", ablation="zero", seed=3, batch_size=2)
        self.assertEqual(alone.faithfulness, found[0].faithfulness)

    def test_one_pair_has_no_interval(self):
        found = gradpath.evaluate(demo(), ioi(1), demo_scores().top_n(100))
        self.assertTrue(math.isnan(found.low) and math.isnan(found.high))

    def test_what_does_not_go(self):
        with self.raises(gradpath.ArgumentError, "circuits is empty"):
            gradpath.evaluate(demo(), ioi(), [])
        with self.raises(TypeError, "Circuit"):
            gradpath.evaluate(demo(), ioi(), demo_scores())
        with self.raises(gradpath.Error):
            gradpath.evaluate(tiny(), ids(), demo_scores().top_n(5))
        with self.raises(TypeError, "Scores"):
            gradpath.curve(demo(), ioi(), demo_scores().top_n(5))
        with self.raises(gradpath.ArgumentError, "fractions"):
            gradpath.curve(demo(), ioi(), demo_scores(), fractions=["a"])

    def test_curves(self):
        curve = gradpath.curve(demo(), ioi(), demo_scores())
        self.assertEqual(curve.by_score.fractions.tolist(), gradpath.fractions())
        self.assertEqual(curve.by_magnitude.n_edges[-1], 1519)
        self.assertAlmostEqual(float(curve.by_magnitude.faithfulness[-1]), 1, places=5)
        self.assertEqual(curve.method, "eap")
        x, y = curve.by_score.fractions, curve.by_score.faithfulness
        self.assertAlmostEqual(curve.cpr, float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum()), places=9)
        other = gradpath.score(demo(), ioi(), "random", seed=1)
        both = gradpath.curve(demo(), ioi(), [demo_scores(), other], fractions=[0.1, 0.5], greedy=True)
        self.assertEqual([len(c.by_score.low) for c in both], [2, 2])


class Searches(Case):
    def test_acdc(self):
        circuit = gradpath.acdc(demo(), ioi(), tau=0.05)
        self.assertEqual((circuit.details["search"], circuit.details["n_edges"]), ("acdc", len(circuit)))
        ranked = gradpath.acdc(demo(), ioi(), tau=0.05, scores=demo_scores(), metric="logit-diff")
        self.assertGreater(ranked.details["n_tested"], 0)
        with self.raises(gradpath.ArgumentError, "order"):
            gradpath.acdc(demo(), ioi(), order="score")
        with self.raises(TypeError, "Scores"):
            gradpath.acdc(demo(), ioi(), scores=np.zeros(3))

    def test_edge_prune_and_hap(self):
        pruned = gradpath.edge_prune(demo(), ioi(), steps=10, sparsity=0.9, batch_size=3, seed=1)
        self.assertEqual(len(pruned.details["steps"]), 10)
        self.assertEqual(len(pruned), round(0.1 * 1519))
        warm = gradpath.edge_prune(demo(), ioi(), steps=10, sparsity=0.9, init=demo_scores())
        self.assertGreater(len(warm), 0)
        self.assertIsNotNone(warm.scores)
        both = gradpath.hap(demo(), ioi(), steps=10, sparsity=0.9, scorer="eap-ig", metric="prob-diff")
        self.assertIn("n_candidates", both.details)
        with self.raises(gradpath.ArgumentError, "scores"):
            gradpath.hap(demo(), ioi(), scores=demo_scores(), scorer="eap")

    def test_path_patch(self):
        circuit = gradpath.path_patch(demo(), ioi())
        (round_,) = circuit.details["rounds"]
        self.assertEqual(len(round_["maps"][0]["effects"]), 37)
        # The library says how many rounds there are.
        self.assertIsNone(inspect.signature(gradpath.path_patch).parameters["rounds"].default)
        one = gradpath.path_patch(demo(), ioi(), senders=["a1.h0"], receivers="a3.h1.v", positions="S2", freeze_mlps=True)
        self.assertEqual(list(one.details["rounds"][0]["maps"][0]["effects"]), ["a1.h0"])
        followed = gradpath.path_patch(demo(), ioi(), rounds=2, top_n=2)
        self.assertEqual(len(followed.details["rounds"]), 2)
        with self.raises(gradpath.Error, "top-n"):
            gradpath.path_patch(demo(), ioi(), threshold=5, top_n=3)


class Catalogs(Case):
    def test_what_there_is(self):
        self.assertIn("eap-gp", [m.name for m in gradpath.methods()])
        self.assertEqual({s.name for s in gradpath.searches()}, {"acdc", "edge-prune", "hap", "path-patch"})
        self.assertIn("kl", [m.name for m in gradpath.metrics()])
        self.assertIn("ioi", [t.name for t in gradpath.tasks()])
        self.assertIn("published", [p.name for p in gradpath.presets()])
        self.assertTrue(all(e.title and e.summary for e in gradpath.methods() + gradpath.tasks()))
        self.assertEqual(gradpath.fractions()[-1], 1)
        self.assertTrue(gradpath.library_version().startswith(gradpath.__version__))
