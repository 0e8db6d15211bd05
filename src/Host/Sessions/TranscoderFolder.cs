using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Sessions;

/// <summary>
/// A folder of transcoders, one a layer, in one of two layouts: that of circuit-tracer (<c>config.yaml</c>, <c>layer_N.safetensors</c>)
/// or that of SAELens (<c>cfg.json</c> and <c>sae_weights.safetensors</c>, in the folder or in one below it for each layer).
/// </summary>
internal static partial class TranscoderFolder
{
    /// <summary>The folder beside a model where its own transcoders lie.</summary>
    public const string Beside = "transcoders";

    /// <summary>What describes a folder of ours.</summary>
    public const string ConfigFile = "config.yaml";

    private const string LensConfig = "cfg.json";
    private const string LensWeights = "sae_weights.safetensors";

    /// <summary>Opens the transcoders that a user has named, or those of the model.</summary>
    /// <param name="given">The folder; null for the model's own.</param>
    /// <param name="folded">Whether they were trained on a model whose LayerNorms were folded into the weights behind them.</param>
    /// <param name="checkpoint">The model.</param>
    /// <exception cref="GradpathException">There are none, or they do not fit the model.</exception>
    public static TranscoderSet Open(string? given, bool folded, Gpt2Checkpoint checkpoint)
    {
        string folder = given ?? Path.Combine(checkpoint.Directory, Beside);
        if (given is null && !Directory.Exists(folder))
        {
            throw new GradpathException($"{checkpoint.Directory} has no transcoders (no folder {Beside} in it): name some with "
                + "--transcoders DIR, or train some with 'gradpath transcode train'.");
        }
        if (File.Exists(folder)) throw new GradpathException($"--transcoders {folder}: is a file; name the folder of the transcoders");
        if (!Directory.Exists(folder)) throw new GradpathException($"--transcoders {folder}: no such folder");
        IReadOnlyList<TranscoderSpec> specs = Read(folder);
        if (folded)
        {
            if (specs.Any(s => s.Input == TranscoderInput.Residual))
                throw new UsageException("--folded: these transcoders read the residual stream in front of LayerNorm.");
            specs = [.. specs.Select(s => s with { Input = TranscoderInput.Normalized })];
        }
        string name = given is null ? $"{Path.GetFileName(checkpoint.Directory)}/{Beside}" : Path.GetFileName(Path.GetFullPath(folder));
        return new TranscoderSet(name, specs, checkpoint.Config);
    }

    /// <summary>What a folder holds.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>A transcoder each.</returns>
    /// <exception cref="GradpathException">It holds none, or its description cannot be read.</exception>
    public static IReadOnlyList<TranscoderSpec> Read(string folder)
    {
        if (File.Exists(Path.Combine(folder, ConfigFile))) return Traced(folder, Path.Combine(folder, ConfigFile));
        string[] configs =
        [
            .. new[] { folder }.Concat(Directory.EnumerateDirectories(folder)).Select(f => Path.Combine(f, LensConfig))
                .Where(File.Exists).Order(StringComparer.Ordinal),
        ];
        if (configs.Length > 0) return [.. configs.Select(Lens)];
        IReadOnlyList<TranscoderSpec> bare = [.. LayerFiles(folder)];
        return bare.Count > 0 ? bare : throw new GradpathException(
            $"{folder}: holds no transcoders: {ConfigFile} and layer_N.safetensors are looked for, or {LensConfig} and {LensWeights}");
    }

    private static IEnumerable<TranscoderSpec> LayerFiles(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "layer_*.safetensors").Order(StringComparer.Ordinal))
        {
            if (LayerName().Match(Path.GetFileName(file)) is { Success: true } match)
                yield return new TranscoderSpec(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), file);
        }
    }

    private static List<TranscoderSpec> Traced(string folder, string config)
    {
        Dictionary<string, PlanNode> entries = [];
        PlanNode root = PlanText.Read(config);
        foreach (PlanEntry entry in root.Entries ?? throw new GradpathException($"{config}: a mapping is needed, such as model_kind: ..."))
            entries[entry.Key] = entry.Value;
        string? Text(string key) => entries.TryGetValue(key, out PlanNode? node) && node.Text is { Length: > 0 } text
            && text is not ("null" or "~") ? text : null;
        if (Text("model_kind") is { } kind && kind != "transcoder_set")
            throw new GradpathException($"{config}: model_kind {Quoted.Text(kind)}; transcoder_set, transcoders of a layer each, is read");
        TranscoderInput input = InputOf(config, "feature_input_hook", Text("feature_input_hook"));
        RequireOutput(config, "feature_output_hook", Text("feature_output_hook"));
        TranscoderActivation? activation = Text("activation") is { } name ? ActivationOf(config, "activation", name) : null;
        int k = activation == TranscoderActivation.TopK ? Whole(config, "k", Text("k")) : 0;
        List<TranscoderSpec> specs = [.. entries.TryGetValue("transcoders", out PlanNode? list)
            ? Listed(folder, config, list)
            : LayerFiles(folder)];
        if (specs.Count == 0) throw new GradpathException($"{folder}: holds no layer_N.safetensors");
        return [.. specs.Select(s => s with { Activation = activation, K = k, KeepsNegative = true, Input = input })];
    }

    private static IEnumerable<TranscoderSpec> Listed(string folder, string config, PlanNode list)
    {
        int layer = 0;
        foreach (PlanNode item in list.Items ?? throw new GradpathException($"{config}: transcoders: a list of files is needed"))
        {
            string path = item.Text ?? throw new GradpathException($"{config}: transcoders: a list of files is needed");
            if (path.Contains("://", StringComparison.Ordinal))
            {
                throw new GradpathException($"{config}: {Quoted.Text(path)} lies elsewhere; fetch the files, put them beside this one as "
                    + "layer_N.safetensors and leave transcoders out");
            }
            yield return new TranscoderSpec(layer++, Path.Combine(folder, path));
        }
    }

    private static TranscoderSpec Lens(string config) => JsonFile.Read(config, root =>
    {
        JsonElement metadata = root.Property("metadata") ?? root;
        string? Text(string key) => root.Text(key, config) ?? metadata.Text(key, config);
        string inHook = Text("hook_name") ?? throw new GradpathException($"{config}: has no hook_name");
        if (HookLayer().Match(inHook) is not { Success: true } match || !int.TryParse(match.Groups[1].ValueSpan, out int layer))
            throw new GradpathException($"{config}: hook_name {Quoted.Text(inHook)} names no layer, as blocks.3.ln2.hook_normalized does");
        TranscoderInput input = InputOf(config, "hook_name", inHook);
        RequireOutput(config, "hook_name_out", Text("hook_name_out") ?? throw new GradpathException(
            $"{config}: has no hook_name_out; a transcoder writes elsewhere than it reads, and this is an autoencoder"));
        if (Text("normalize_activations") is { } normal && normal != "none")
            throw new GradpathException($"{config}: normalize_activations {Quoted.Text(normal)}; only none is read");
        if (root.Flag("apply_b_dec_to_input", config) == true)
            throw new GradpathException($"{config}: apply_b_dec_to_input is true; transcoders that take their input as it is can be read");
        string architecture = root.Text("architecture", config) ?? "transcoder";
        string function = Text("activation_fn") ?? Text("activation_fn_str") ?? "relu";
        TranscoderActivation activation = architecture.Contains("jumprelu", StringComparison.Ordinal)
            ? TranscoderActivation.JumpRelu
            : ActivationOf(config, "activation_fn", architecture.Contains("topk", StringComparison.Ordinal) ? "topk" : function);
        int k = 0;
        if (activation == TranscoderActivation.TopK)
        {
            JsonElement? given = root.Property("k") ?? root.Property("activation_fn_kwargs")?.Property("k");
            k = Whole(config, "k", given?.GetRawText());
        }
        return new TranscoderSpec(layer, Path.Combine(Path.GetDirectoryName(config)!, LensWeights), activation, k)
        {
            ByInput = true,
            Input = input,
        };
    });

    private static TranscoderInput InputOf(string config, string key, string? hook)
    {
        if (hook is null) return TranscoderInput.Mlp;
        if (hook.EndsWith("ln2.hook_normalized", StringComparison.Ordinal) || hook.EndsWith("mlp.hook_in", StringComparison.Ordinal))
            return TranscoderInput.Mlp;
        if (hook.EndsWith("hook_resid_mid", StringComparison.Ordinal) || hook.EndsWith("hook_mlp_in", StringComparison.Ordinal))
            return TranscoderInput.Residual;
        throw new GradpathException($"{config}: {key} {Quoted.Text(hook)}; ln2.hook_normalized, mlp.hook_in, hook_resid_mid and "
            + "hook_mlp_in can be read");
    }

    private static void RequireOutput(string config, string key, string? hook)
    {
        if (hook is null || hook.EndsWith("hook_mlp_out", StringComparison.Ordinal)) return;
        if (hook.EndsWith("mlp.hook_out", StringComparison.Ordinal)) return;
        throw new GradpathException(
            $"{config}: {key} {Quoted.Text(hook)}; transcoders that write what the MLP writes, hook_mlp_out, can be read");
    }

    private static TranscoderActivation ActivationOf(string config, string key, string name) =>
        name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal) switch
        {
            "relu" => TranscoderActivation.Relu,
            "jumprelu" => TranscoderActivation.JumpRelu,
            "topk" => TranscoderActivation.TopK,
            _ => throw new GradpathException($"{config}: {key} {Quoted.Text(name)}; relu, jump_relu and topk can be read"),
        };

    private static int Whole(string config, string key, string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new GradpathException(
                $"{config}: {key} {(text is null ? "is missing" : Quoted.Text(text))}; a number from 1 on is needed");

    [GeneratedRegex("^layer_([0-9]{1,4})\\.safetensors$")]
    private static partial Regex LayerName();

    [GeneratedRegex("(?:^|\\.)blocks\\.([0-9]{1,4})\\.")]
    private static partial Regex HookLayer();
}
