using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;

namespace Gradpath.Gpt2Runtime.Tests.Graph.Exchange;

/// <summary>Lists of edges: what they mean, and what is said of those that mean nothing.</summary>
public sealed class EdgeListTests : IDisposable
{
    // One layer of one head has eight edges.
    private const string All = "input->a0.h0<q> input->a0.h0<k> input->a0.h0<v> input->m0 a0.h0->m0 input->logits a0.h0->logits m0->logits";

    private readonly TempFolder _folder = new();

    [Fact]
    public void A_score_that_is_empty_or_NaN_is_of_an_edge_that_was_not_scored()
    {
        string[] names = All.Split(' ');
        EdgeScores scores = Csv("edge,score", [.. names.Select((n, i) => $"{n},{(i == 0 ? "" : i == 1 ? "NaN" : $"{i}")}")]);
        Assert.Equal(2, scores.UnscoredEdges);
        Assert.Equal((0, 0, 2f), (scores[0, 0], scores[0, 1], scores[0, 2]));
        Assert.True(scores.EdgesInGraph.IsEmpty);
    }

    [Fact]
    public void A_list_of_some_edges_is_a_circuit_of_a_model_that_must_be_known()
    {
        EdgeScores circuit = Csv("edge,note", ["input->m0,a", "m0->logits,b"], new GraphShape(2, 3));
        Assert.Equal((2, new ComputationGraph(2, 3)), (GraphContent.EdgeCount(circuit), circuit.Graph));
        Assert.True(GraphContent.IsCircuitAlone(circuit));
        string some = Refused(() => Csv("edge", ["input->m0", "m0->logits"]));
        Assert.Contains("lists 2 edges, not all of a model", some, StringComparison.Ordinal);
        Assert.Contains("Layers and Heads", Refused(() => Csv("edge", [])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_may_say_which_edges_are_in()
    {
        EdgeScores circuit = Csv("in_circuit,edge,score", [.. All.Split(' ').Select((n, i) => $"{(i < 3 ? "True" : "0")},{n},{i}")]);
        Assert.Equal(3, GraphContent.EdgeCount(circuit));
        Assert.Equal(7, circuit[2, 4]);
    }

    [Theory]
    [InlineData("edge,score|input->m0,1|input->m0,2", "line 3: the edge input->m0 appears twice")]
    [InlineData("edge,score|input->m0,x", "line 2: score is \"x\"")]
    [InlineData("edge,score|input->m0,Infinity", "line 2: score is \"Infinity\"")]
    [InlineData("edge,score|input->m0,1e99", "line 2: score is \"1e99\"")]
    [InlineData("edge,in_circuit|input->m0,yes", "in_circuit is \"yes\"; true or false")]
    [InlineData("edge|m0->a0.h0<q>", "line 2: there is no edge \"m0->a0.h0<q>\" in a GPT-2 model of 1 layers x 1 heads")]
    [InlineData("edge|input->m7", "line 2: there is no edge \"input->m7\"")]
    [InlineData("name,score|input->m0,1", "the column edge is missing")]
    [InlineData("edge,score|input->m0", "not valid CSV")]
    public void What_is_wrong_with_a_CSV_file_is_said(string lines, string expected)
    {
        string[] all = lines.Split('|');
        Assert.Contains(expected, Refused(() => Csv(all[0], all[1..], new GraphShape(1, 1))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[["blocks.0.hook_mlp_in", [null], "blocks.0.attn.hook_result", [null, null, 0]]]""", "a0.h0->m0")]
    [InlineData("""[[["blocks.0.hook_resid_mid", [null], "hook_embed", [null]], 0.5]]""", "input->m0")]
    [InlineData("""[["blocks.0.hook_resid_post", [null], "blocks.0.hook_mlp_out", [null]], ["blocks.0.hook_mlp_out", [null], "blocks.0.hook_mlp_in", [null]]]""", "m0->logits")]
    [InlineData("""[["blocks.0.hook_k_input", [null, null, 0], "blocks.0.hook_resid_pre", [null]], ["blocks.0.attn.hook_k", [null, null, 0], "blocks.0.hook_k_input", [null, null, 0]]]""", "input->a0.h0<k>")]
    public void Edges_of_ACDC_are_read(string json, string edge)
    {
        EdgeScores circuit = AcdcFile.Read(Written("x.acdc.json", json), new GraphShape(1, 1));
        (int row, int column) = Assert.Single(GraphContent.Edges(circuit));
        Assert.Equal(edge, circuit.Graph.EdgeName(row, column));
    }

    [Theory]
    [InlineData("{}", "a JSON array of ACDC's edges is needed")]
    [InlineData("[1]", "entry 1: is 1; [reader's hook, index, writer's hook, index] is needed")]
    [InlineData("""[["blocks.0.hook_q_input", [null], "hook_embed", [null]]]""", "its index names no head")]
    [InlineData("""[["blocks.0.hook_mlp_in", "m", "hook_embed", [null]]]""", "an index is \"m\"")]
    [InlineData("""[["blocks.0.hook_mlp_in", [null], "hook_pos_embed", [null]]]""", "use_pos_embed=False")]
    [InlineData("""[["blocks.0.hook_zzz", [null], "hook_embed", [null]]]""", "\"blocks.0.hook_zzz\" is no reader")]
    [InlineData("""[["blocks.4.hook_resid_post", [null], "hook_embed", [null]]]""", "the logits of 5 layers")]
    [InlineData("""[[["blocks.0.hook_mlp_in", [null], "hook_embed", [null]], "strong"]]""", "the effect is \"strong\"")]
    public void What_is_wrong_with_a_list_of_ACDC_is_said(string json, string expected) => Assert.Contains(
        expected, Refused(() => AcdcFile.Read(Written("x.acdc.json", json), new GraphShape(1, 1))), StringComparison.Ordinal);

    [Theory]
    [InlineData("""["Resid Start->MLP 0"]""", 1, 0)]
    [InlineData("""{"Resid Start->MLP 0": NaN, "MLP 0->Resid End": 0.5}""", 2, 1)]
    public void Edges_of_auto_circuit_are_read(string json, int edges, int unscored)
    {
        EdgeScores circuit = AutoCircuitFile.Read(Written("x.auto-circuit.json", json), new GraphShape(1, 1));
        Assert.Equal((edges, unscored), (GraphContent.EdgeCount(circuit), circuit.UnscoredEdges));
    }

    [Theory]
    [InlineData("3", "an array of auto-circuit's names or an object")]
    [InlineData("[3]", "entry 1: is 3")]
    [InlineData("""["A0.0->MLP0"]""", "none of auto-circuit's edges")]
    [InlineData("""["A0.0.Q->MLP 0"]""", "none of auto-circuit's edges")]
    [InlineData("""{"Resid Start->MLP 0": "x"}""", "a number is needed")]
    [InlineData("""{"Resid Start->MLP 0": -Infinity}""", "infinite or beyond float32")]
    public void What_is_wrong_with_a_list_of_auto_circuit_is_said(string json, string expected) => Assert.Contains(
        expected, Refused(() => AutoCircuitFile.Read(Written("x.json", json), new GraphShape(1, 1))), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"nodes":[],"links":[]}""", "Graphs of features")]
    [InlineData("""{"cfg":{"n_layers":300,"n_heads":10},"links":[]}""", "300 layers x 10 heads are more than the 0 edges")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"links":[{"source":"a"}]}""", "link 1: has no 'edges'")]
    public void What_is_wrong_with_a_graph_of_circuit_tracer_is_said(string json, string expected) => Assert.Contains(
        expected, Refused(() => CircuitTracerFile.Read(Written("x.json", json))), StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    private static string Refused(Action read) => Assert.Throws<GradpathException>(read).Message;

    private EdgeScores Csv(string head, string[] lines, GraphShape shape = default) =>
        EdgeCsv.Read(Written("x.csv", string.Join('\n', [head, .. lines]) + "\n"), shape);

    private string Written(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }
}
