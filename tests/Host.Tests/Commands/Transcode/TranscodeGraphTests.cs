using System.Text.Json;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath transcode graph</c>: its JSON by the published tool's models, its page, and what it refuses.</summary>
public sealed class TranscodeGraphTests : IDisposable
{
    private const string Prompt = "When John and Mary went to the store, John gave a drink to";

    // The fields of circuit-tracer's models (frontend/graph_models.py), with the kinds that they take.
    private static readonly Dictionary<string, JsonValueKind[]> s_node = new()
    {
        ["node_id"] = [JsonValueKind.String],
        ["feature"] = [JsonValueKind.Number],
        ["layer"] = [JsonValueKind.String],
        ["ctx_idx"] = [JsonValueKind.Number],
        ["feature_type"] = [JsonValueKind.String],
        ["token_prob"] = [JsonValueKind.Number],
        ["is_target_logit"] = [JsonValueKind.True, JsonValueKind.False],
        ["run_idx"] = [JsonValueKind.Number],
        ["reverse_ctx_idx"] = [JsonValueKind.Number],
        ["jsNodeId"] = [JsonValueKind.String],
        ["clerp"] = [JsonValueKind.String],
        ["influence"] = [JsonValueKind.Number, JsonValueKind.Null],
        ["activation"] = [JsonValueKind.Number, JsonValueKind.Null],
    };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_graph_has_the_fields_of_the_published_format()
    {
        string file = _folder["g.json"];
        Graph(Prompt, file).Succeeds("Mary", "replacement score", file);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement root = document.RootElement;
        JsonElement metadata = root.GetProperty("metadata");
        Assert.Equal(["slug", "scan", "transcoder_list", "prompt_tokens", "prompt", "node_threshold", "schema_version"],
            metadata.EnumerateObject().Select(p => p.Name));
        Assert.Equal(Prompt, metadata.GetProperty("prompt").GetString());
        Assert.Equal("when-john-and-mary-went-to-the-store-joh", metadata.GetProperty("slug").GetString());
        string[] tokens = [.. metadata.GetProperty("prompt_tokens").EnumerateArray().Select(t => t.GetString()!)];
        Assert.Equal("<|endoftext|>" + Prompt, string.Concat(tokens));
        Assert.Equal(["pinnedIds", "supernodes", "linkType", "clickedId", "sg_pos"],
            root.GetProperty("qParams").EnumerateObject().Select(p => p.Name));
        JsonElement[] nodes = [.. root.GetProperty("nodes").EnumerateArray()];
        foreach (JsonElement node in nodes)
        {
            Assert.Equal(s_node.Keys, node.EnumerateObject().Select(p => p.Name));
            foreach (JsonProperty field in node.EnumerateObject()) Assert.Contains(field.Value.ValueKind, s_node[field.Name]);
        }
        string[] ids = [.. nodes.Select(n => n.GetProperty("node_id").GetString()!)];
        Assert.Equal(ids.Distinct(), ids);
        string[] types = [.. nodes.Select(n => n.GetProperty("feature_type").GetString()!).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(["cross layer transcoder", "embedding", "logit", "mlp reconstruction error"], types);
        Assert.Equal(tokens.Length, nodes.Count(n => n.GetProperty("layer").GetString() == "E"));
        JsonElement logit = nodes.First(n => n.GetProperty("is_target_logit").GetBoolean());
        Assert.Equal("5", logit.GetProperty("layer").GetString());
        Assert.StartsWith("Output \" Mary\" (p=0.", logit.GetProperty("clerp").GetString(), StringComparison.Ordinal);
        Assert.InRange(logit.GetProperty("token_prob").GetDouble(), 0.5, 1);
        JsonElement feature = nodes.First(n => n.GetProperty("activation").ValueKind == JsonValueKind.Number);
        int[] parts = [.. feature.GetProperty("node_id").GetString()!.Split('_').Select(int.Parse)];
        Assert.Equal(parts[0], int.Parse(feature.GetProperty("layer").GetString()!));
        Assert.Equal(((parts[0] + parts[1]) * (parts[0] + parts[1] + 1) / 2) + parts[1], feature.GetProperty("feature").GetInt32());
        Assert.Equal(parts[2], feature.GetProperty("ctx_idx").GetInt32());
        JsonElement[] links = [.. root.GetProperty("links").EnumerateArray()];
        Assert.NotEmpty(links);
        foreach (JsonElement link in links)
        {
            Assert.Equal(["source", "target", "weight"], link.EnumerateObject().Select(p => p.Name));
            Assert.Contains(link.GetProperty("source").GetString(), ids);
            Assert.Contains(link.GetProperty("target").GetString(), ids);
            Assert.NotEqual(0, link.GetProperty("weight").GetDouble());
        }
        Assert.Equal("demo", root.GetProperty("gradpath").GetProperty("model").GetString());
    }

    [Fact]
    public void Higher_thresholds_keep_more_and_the_page_holds_the_graph()
    {
        string few = _folder["few.json"], many = _folder["many.json"], page = _folder["g.html"];
        Graph(Prompt, few, "--node-threshold", "0.5").Succeeds();
        Graph(Prompt, many, "--node-threshold", "0.95").Succeeds();
        Assert.True(Nodes(File.ReadAllText(few)) < Nodes(File.ReadAllText(many)));
        Graph("</script> {{data}} <b>", page, "--max-features", "50").Succeeds(page);
        string html = File.ReadAllText(page);
        const string Start = "id=\"graph-data\">";
        int start = html.IndexOf(Start, StringComparison.Ordinal) + Start.Length;
        string data = html[start..html.IndexOf("</script>", start, StringComparison.Ordinal)];
        Assert.True(Nodes(data) > 0);
        Assert.Contains("&lt;/script&gt; &#123;&#123;data}}", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_used_is_refused_by_name()
    {
        string file = _folder["g.json"];
        Fails(2, "--prompt needs a value", Graph("", file));
        Fails(1, "--transcoders /nowhere: no such folder", Graph(Prompt, file, "--transcoders", "/nowhere"));
        Fails(1, "holds no transcoders: config.yaml and layer_N.safetensors", Graph(Prompt, file, "--transcoders", _folder.Path));
        Fails(1, "the model takes at most 64: shorten it", Graph(string.Join(' ', Enumerable.Repeat("the dog", 60)), file));
        Fails(2, "--node-threshold", Graph(Prompt, file, "--node-threshold", "1.5"));
        Fails(2, "--out", Graph(Prompt, _folder["g.svg"]));
        Fails(1, "saturated has no transcoders", Cli.Run("transcode", "graph", "--model", "saturated", "--prompt", "The", "--out", file));
        Config("model_kind: cross_layer_transcoder\n", "model_kind \"cross_layer_transcoder\"; transcoder_set");
        Config("feature_input_hook: hook_q\n", "feature_input_hook \"hook_q\"; ln2.hook_normalized");
        Config("feature_output_hook: hook_q\n", "feature_output_hook \"hook_q\"");
        Config("activation: gelu\n", "activation \"gelu\"; relu, jump_relu and topk");
        Config("activation: topk\n", "k is missing; a number from 1 on is needed");
        Config("transcoders: [\"hf://a/b\"]\n", "lies elsewhere; fetch the files");
        Config("model_kind: transcoder_set\n", "holds no layer_N.safetensors");
        Lens("{}", "has no hook_name");
        Lens("""{"hook_name":"hook_x","hook_name_out":"y"}""", "names no layer");
        Lens("""{"hook_name":"blocks.0.ln2.hook_normalized"}""", "has no hook_name_out");
        Lens("""
            {"metadata":{"hook_name":"blocks.0.ln2.hook_normalized","hook_name_out":"blocks.0.hook_mlp_out"},"apply_b_dec_to_input":true}
            """, "apply_b_dec_to_input is true");
        Assert.False(File.Exists(file));

        void Config(string text, string part)
        {
            _folder.Write("set/config.yaml", text);
            Fails(1, part, Graph(Prompt, file, "--transcoders", _folder["set"]));
        }

        void Lens(string text, string part)
        {
            _folder.Write("lens/cfg.json", text);
            Fails(1, part, Graph(Prompt, file, "--transcoders", _folder["lens"]));
        }
    }

    private static int Nodes(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("nodes").GetArrayLength();
    }

    private static void Fails(int code, string part, Cli run)
    {
        Assert.True(run.ExitCode == code, $"{run.ExitCode}: {run.Error}");
        Assert.Contains(part, run.Error, StringComparison.Ordinal);
    }

    private static Cli Graph(string prompt, string file, params string[] options) => Cli.Run(
        ["transcode", "graph", "--model", "demo", "--prompt", prompt, "--device", "cpu", "--threads", "1", "--out", file, .. options]);
}
