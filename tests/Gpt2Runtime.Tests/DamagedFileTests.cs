using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>One damaged file of each kind that once ended in another exception than one that names it.</summary>
public sealed class DamagedFileTests : IDisposable
{
    private static readonly string Long = new('x', 30_000);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("{\n\"a\": \"\\ud800\"}", 2)]
    [InlineData("{\"\\udc00\\ud800\": 1}", 1)]
    public void Text_that_is_no_Unicode_is_named_with_its_line(string json, int line)
    {
        _folder.Write("x.json", json);
        Refused(() => JsonFile.Read(_folder["x.json"], _ => 0), $"{_folder["x.json"]}, line {line}: a text is not valid Unicode");
    }

    [Fact]
    public void Bytes_that_are_no_text_are_named_with_their_line()
    {
        File.WriteAllBytes(_folder["x.json"], Encoding.Latin1.GetBytes("{\"a\":\n\n\"\u00FF\"}"));
        Refused(() => JsonFile.Read(_folder["x.json"], _ => 0), "x.json, line 3: not UTF-8 (byte 0xFF); save the file as UTF-8 or UTF-16");
    }

    [Theory]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    public void Json_is_read_in_the_encodings_that_prompts_are_read_in(string name, bool mark)
    {
        Encoding encoding = Encoding.GetEncoding(name);
        File.WriteAllBytes(_folder["x.json"], [.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes("{\"a\": \"\u00e9\"}")]);
        Assert.Equal("\u00e9", JsonFile.Read(_folder["x.json"], root => root.GetProperty("a").GetString()));
    }

    [Fact]
    public void A_key_that_stands_twice_is_refused_at_any_depth()
    {
        _folder.Write("x.json", """{"a": {"b": [{"c": 1, "c": 2}]}}""");
        Refused(() => JsonFile.Read(_folder["x.json"], _ => 0), "x.json: not valid JSON: ");
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "\"dtype\" appears twice in the header entry of tensor 'a'")]
    [InlineData("""{"__metadata__":{"b":"1","b":"2"}}""", "__metadata__ entry 'b' appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,"\ud800"]}}""", "not valid Unicode")]
    public void A_safetensors_header_is_taken_at_its_word(string header, string message)
    {
        byte[] data = new byte[header.Contains("F32", StringComparison.Ordinal) ? 4 : 0];
        File.WriteAllBytes(_folder["x.safetensors"], CheckpointBuilder.File(header, data));
        Refused(() => SafetensorsFile.Open(_folder["x.safetensors"]).Dispose(), message);
    }

    [Fact]
    public void No_message_repeats_more_than_a_line_of_a_file()
    {
        Circuit circuit = Circuit.Of(new ComputationGraph(1, 1), [(0, 4)]);
        File.WriteAllBytes(_folder["x.safetensors"], CheckpointBuilder.File($$"""{"{{Long}}":{"dtype":"F32"} }""", []));
        _folder.Write("config.json", CheckpointBuilder.ConfigJson());
        _folder.Write("model.safetensors.index.json", $$"""{"weight_map":{"a":"{{Long}}"} }""");
        _folder.Write("scores.json", $$"""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{"{{Long}}":true},"edges":{} }""");
        _folder.Write("classes.json", $$"""{"{{Long}}":["{{Long}}"]}""");
        _folder.Write("gpt2.csv", $"{Long},b\n1,2\n");
        Action[] reads =
        [
            () => SafetensorsFile.Open(_folder["x.safetensors"]).Dispose(),
            () => Gpt2Checkpoint.Open(_folder.Path).Dispose(),
            () => EdgeScores.Load(_folder["scores.json"]),
            () => NodeSets.ReadClasses(_folder["classes.json"], circuit),
            () => Prompts("ioi", "gpt2.csv"),
        ];
        Assert.All(reads, read =>
        {
            string message = Refused(read, _folder.Path);
            Assert.InRange(message.Length, 1, 700);
        });
    }

    [Fact]
    public void A_column_that_only_some_records_need_is_said_where_it_is_missing()
    {
        _folder.Write("gpt2.csv", "clean,corrupted,correct_idx\nA b,A c,5\n");
        Refused(
            () => Prompts("ioi", "gpt2.csv"), "line 2: the column incorrect_idx is missing; the file has clean, corrupted, correct_idx.");
    }

    [Theory]
    [InlineData("""{"command":"acdc","command":"acdc","run":{},"state":{}}""")]
    [InlineData("""{"command":"acdc","run":{},"state":{"a":"\ud800"}}""")]
    [InlineData("""{"command":["acdc"],"run":{},"state":{}}""")]
    [InlineData("[]")]
    public void A_progress_file_is_what_a_search_has_left_or_it_is_refused(string json)
    {
        _folder.Write("c.json.progress", json);
        Refused(
            () => new ProgressFile(_folder["c.json"], "acdc", []).Load(), "not a file that search acdc has left; delete it to start over");
    }

    [Fact]
    public void A_text_in_the_place_of_something_else_is_shown_or_said_to_be_none()
    {
        _folder.Write("p.json", "\"\\ud800\"");
        Refused(
            () => PromptLoader.Load(null, _folder["p.json"], Tokenizers.Demo, new PromptOptions()), "not a text that is not valid Unicode");
        using var json = System.Text.Json.JsonDocument.Parse("\"id\"");
        Assert.Null(json.RootElement.Property("id"));
    }

    [Fact]
    public void A_number_of_a_state_is_finite()
    {
        _folder.Write("c.json.progress", """{"command":"acdc","run":{},"state":{"a":1e400,"b":1.5}}""");
        Refused(() => new ProgressFile(_folder["c.json"], "acdc", []).Load(), "not a file that search acdc has left");
    }

    private void Prompts(string task, string file) => PromptLoader.Load(
        task, _folder[file], Tokenizers.Gpt2, new PromptOptions { Metric = BuiltInMetrics.KlDivergence });

    private static string Refused(Action read, string message)
    {
        GradpathException e = Assert.Throws<GradpathException>(read);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }
}
