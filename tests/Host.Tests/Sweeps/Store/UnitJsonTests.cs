using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Results of units as files: what was written is read, bit for bit, and nothing else is.</summary>
public sealed class UnitJsonTests
{
    [Fact]
    public void A_result_is_read_as_it_was_written()
    {
        UnitResult result = SweepSamples.Result(SweepSamples.Key(1));
        string text = Text(result);
        UnitResult read = Parse(text);
        Assert.Equal(text, Text(read));
        Assert.Equal(0.1 + 0.2, read.Cpr);
        Assert.Null(read.Cmd);
        Assert.Equal(result.Rows, read.Rows);
        Assert.True(JsonNode.DeepEquals(result.Provenance, read.Provenance));
    }

    [Fact]
    public void What_is_no_number_is_told_from_what_was_not_measured()
    {
        JsonObject json = UnitResultJson.ToJson(SweepSamples.Result(SweepSamples.Key(1)));
        Assert.True(json.ContainsKey("passes") && json["passes"] is null);
        Assert.False(json.ContainsKey("cmd"));
        UnitResult read = Parse(Encoding.UTF8.GetString(SealedJson.Write(json)));
        Assert.True(double.IsNaN(read.Passes));
        Assert.True(double.IsNaN(read.Rows[0].Faithfulness!.Value));
        Assert.Null(read.Rows[1].Faithfulness);
    }

    [Theory]
    [InlineData("\"graph_edges\":40", "\"graph_edges\":-1", "'graph_edges' is no count")]
    [InlineData("\"graph_edges\":40", "\"graph_edges\":4.5", "'graph_edges' is no count")]
    [InlineData("\"graph_edges\":40,", "", "'graph_edges' is missing")]
    [InlineData("\"graph_edges\":40", "\"graph_edges\":40,\"edges\":1", "'edges' is no key of this version")]
    [InlineData("\"graph_edges\":40", "\"graph_edges\":40,\"graph_edges\":40", "it is no JSON")]
    [InlineData("\"edges\":4,", "\"edges\":\"4\",", "'rows[0].edges' is no count")]
    [InlineData("\"kind\":\"found\"", "\"kind\":3", "'rows[1].kind' is no text")]
    [InlineData("\"kind\":\"found\"", "\"kind\":\"\\ud800\"", "a text in it is malformed")]
    [InlineData("\"sparsity\":0.9", "\"sparsity\":1e999", "'rows[0].sparsity' is no number")]
    [InlineData("\"rows\":[", "\"rows\":[3,", "'rows[0]' is no object")]
    [InlineData("\"seed\":1}", "\"seed\":1", "it is no JSON")]
    [InlineData("\"full_metric\":-1.5", "\"full_metric\":-1.25", "its content does not match its checksum")]
    [InlineData("\"sparsity\":0.9", "\"sparsity\":0.8", "its content does not match its checksum")]
    [InlineData("\"checksum\":\"", "\"checksum\":\"0", "it does not end with its checksum")]
    [InlineData(",\"checksum\":", ", \"checksum\":", "it does not end with its checksum")]
    public void A_damaged_result_is_refused_with_its_place(string old, string changed, string says)
    {
        string text = Text(SweepSamples.Result(SweepSamples.Key(1)));
        Assert.Contains(old, text, StringComparison.Ordinal);
        GradpathException e = Assert.Throws<GradpathException>(() => Parse(text.Replace(old, changed, StringComparison.Ordinal)));
        Assert.StartsWith("a.json: damaged: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.EndsWith("; the next sweep into this folder computes the unit again", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_are_gone_and_a_checksum_that_is_gone_are_noticed()
    {
        JsonObject json = UnitResultJson.ToJson(SweepSamples.Result(SweepSamples.Key(1)));
        string text = Encoding.UTF8.GetString(SealedJson.Write(json));
        Assert.Equal(2, Parse(text + " \r\n").Rows.Count);
        int rows = text.IndexOf("\"rows\":[", StringComparison.Ordinal) + 8;
        int end = text.IndexOf("],\"provenance\"", StringComparison.Ordinal);
        string[] others = [$"{text[..rows]}{text[end..]}", json.ToJsonString(), ""];
        string[] says = ["its content does not match its checksum", "it does not end with its checksum", "the file is empty"];
        foreach ((string other, string fault) in others.Zip(says))
            Assert.Contains(fault, Assert.Throws<GradpathException>(() => Parse(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncated_result_is_refused()
    {
        string text = Text(SweepSamples.Result(SweepSamples.Key(1))).TrimEnd();
        for (int length = 0; length < text.Length; length++) Assert.Throws<GradpathException>(() => Parse(text[..length]));
    }

    private static string Text(UnitResult result) => Encoding.UTF8.GetString(SealedJson.Write(UnitResultJson.ToJson(result)));

    private static UnitResult Parse(string text) => UnitResultJson.Parse(Encoding.UTF8.GetBytes(text), "a.json");
}
