using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Tests;

/// <summary>The same transcoders in every layout that is read give the same graph.</summary>
public sealed class TranscoderFolderTests : IDisposable
{
    private const int Width = 128, Features = 512;

    private static readonly string s_own = Path.Combine(RepositoryFiles.DemoModel, "transcoders");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_of_each_layout_is_read()
    {
        string own = Graph("own.json");
        Assert.NotEqual("[]", own);

        // SAELens: a folder a layer, the encoder turned, the layer by its hook; older files have the hooks at the top.
        for (int layer = 0; layer < 4; layer++)
        {
            string below = _folder[$"lens/plt-{9 - layer}"];
            Directory.CreateDirectory(below);
            using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(s_own, $"layer_{layer}.safetensors"));
            float[] encoder = file.ReadFloats("W_enc"), turned = new float[encoder.Length];
            for (int f = 0; f < Features; f++)
            {
                for (int d = 0; d < Width; d++) turned[(d * Features) + f] = encoder[(f * Width) + d];
            }
            SafetensorsWriter writer = new();
            writer.Add("W_enc", turned, Width, Features);
            writer.Add("W_dec", file.ReadFloats("W_dec"), Features, Width);
            writer.Add("b_enc", file.ReadFloats("b_enc"), Features);
            writer.Add("b_dec", file.ReadFloats("b_dec"), Width);
            writer.Write(Path.Combine(below, "sae_weights.safetensors"));
            string hooks = $"\"hook_name\": \"blocks.{layer}.ln2.hook_normalized\", \"hook_name_out\": \"blocks.{layer}.hook_mlp_out\"";
            File.WriteAllText(Path.Combine(below, "cfg.json"), layer < 2
                ? $"{{{hooks}, \"activation_fn_str\": \"topk\", \"activation_fn_kwargs\": {{\"k\": 16}}}}"
                : $"{{\"architecture\": \"transcoder\", \"activation_fn\": \"topk\", \"k\": 16, \"metadata\": {{{hooks}}}}}");
        }
        Assert.Equal(own, Graph("lens.json", "--transcoders", _folder["lens"]));

        // circuit-tracer with a list of files, in the order of the layers.
        string[] names = ["a", "b", "c", "d"];
        Directory.CreateDirectory(_folder["listed"]);
        for (int layer = 0; layer < 4; layer++)
            File.Copy(Path.Combine(s_own, $"layer_{layer}.safetensors"), _folder[$"listed/{names[layer]}.safetensors"]);
        string list = string.Join(", ", names.Select(n => $"{n}.safetensors"));
        _folder.Write("listed/config.yaml", $"model_kind: transcoder_set\nactivation: topk\nk: 16\ntranscoders: [{list}]\n");
        Assert.Equal(own, Graph("listed.json", "--transcoders", _folder["listed"]));

        // Without a description all that are above 0 are active, and what is read is another thing with --folded.
        Directory.CreateDirectory(_folder["bare"]);
        for (int layer = 0; layer < 4; layer++)
            File.Copy(Path.Combine(s_own, $"layer_{layer}.safetensors"), _folder[$"bare/layer_{layer}.safetensors"]);
        Assert.NotEqual(own, Graph("bare.json", "--transcoders", _folder["bare"]));
        Assert.NotEqual(own, Graph("folded.json", "--folded"));
    }

    private string Graph(string name, params string[] options)
    {
        string file = _folder[name];
        Cli.Run(
            ["transcode", "graph", "--model", "demo", "--prompt", "The dog near the trees", "--threads", "1", "--out", file, .. options])
            .Succeeds();
        return JsonNode.Parse(File.ReadAllText(file))!["links"]!.ToJsonString();
    }
}
