using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>Drawings of circuits as a program asks for them. The command line's tests look at the drawings themselves.</summary>
public sealed class CircuitDrawingTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    private static readonly Circuit s_circuit = Circuit.Of(s_graph, [(0, s_graph.MlpColumn(1)), (s_graph.MlpRow(1), s_graph.LogitsColumn)]);

    [Theory]
    [InlineData(".svg", "<svg")]
    [InlineData(".dot", "digraph \"mine\"")]
    [InlineData(".html", "<!DOCTYPE html>")]
    public void A_file_is_of_the_kind_that_its_name_says(string extension, string beginning)
    {
        using var folder = new TempFolder();
        string path = folder[$"circuit{extension}"];
        CircuitDrawing.Save(path, s_circuit, "mine");
        string text = File.ReadAllText(path);
        Assert.StartsWith(beginning, text, StringComparison.Ordinal);
        Assert.Contains("mine", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_names_are_refused()
    {
        using var folder = new TempFolder();
        var e = Assert.Throws<GradpathException>(() => CircuitDrawing.Save(folder["circuit.png"], s_circuit));
        Assert.EndsWith("circuit.png: drawings are written to .svg, .dot and .html files.", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["circuit.png"]));
    }

    [Fact]
    public void A_page_starts_with_the_circuit_also_where_it_has_no_scores() =>
        Assert.Contains("\"selection\":\"file\"", CircuitDrawing.Html(s_circuit), StringComparison.Ordinal);
}
