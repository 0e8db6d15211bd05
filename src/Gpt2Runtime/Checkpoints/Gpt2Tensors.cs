using System.Globalization;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The tensors of a model in its weight files. Every one must be there, once and in the right shape. What else the files hold is passed
/// over where it is no part of the model: buffers of old checkpoints and heads for other purposes. What looks like a weight of the model
/// and is none that runs is refused, because without it another model would run.
/// </summary>
internal sealed class Gpt2Tensors
{
    private static readonly string[] s_parts = ["wte.", "wpe.", "h.", "ln_f.", "lm_head."];
    private static readonly string[] s_buffers = [".attn.bias", ".attn.masked_bias"];

    private readonly WeightFiles _files;
    private readonly ILookup<string, WeightFiles.Place> _places;

    /// <summary>Finds the tensors.</summary>
    /// <param name="config">What config.json states.</param>
    /// <param name="files">The weight files.</param>
    /// <exception cref="GradpathException">A tensor is missing, of another shape or type, there twice, or none of this model.</exception>
    public Gpt2Tensors(Gpt2Config config, WeightFiles files)
    {
        _files = files;
        _places = files.Places.ToLookup(place => TensorNames.Bare(place.Entry.Name), StringComparer.Ordinal);
        Config = config;
        if (config.TiedHead && _places.Contains(Gpt2Layout.HeadWeight) && Locate(Gpt2Layout.HeadOf(config)) is var head
            && !SameValues(Locate(Gpt2Layout.Of(config).First()), head))
        {
            Config = config with { TiedHead = false };
            Warnings =
            [
                $"{head.File.Path}: {head.Entry.Name} differs from the token embedding, to which config.json ties it "
                + "(tie_word_embeddings is true, also where it is not stated): the file's own head is used, as the transformers library "
                + "does since version 5",
            ];
        }
        All = [.. Gpt2Layout.Of(Config).Select(Locate)];
        TensorSpec bias = Gpt2Layout.HeadBiasOf(config);
        if (_places.Contains(bias.Name)) All = [.. All, Locate(bias)];
        RefuseOthers();
    }

    /// <summary>What runs: the file's own head also where config.json ties it, see <see cref="Warnings"/>.</summary>
    public Gpt2Config Config { get; }

    /// <summary>The tensors in the order of the forward pass.</summary>
    public IReadOnlyList<Located> All { get; }

    /// <summary>Contradictions between the files that a user should know of.</summary>
    public IReadOnlyList<string> Warnings { get; } = [];

    /// <summary>A tensor of the model and where it lies.</summary>
    public sealed record Located(TensorSpec Spec, SafetensorsFile File, SafetensorsEntry Entry);

    private Located Locate(TensorSpec spec)
    {
        WeightFiles.Place[] found = [.. _places[spec.Name]];
        if (found.Length == 0) throw Missing(spec);
        if (found.Length > 1)
        {
            throw new GradpathException($"{_files.Description}: tensor {Quoted.Name(spec.Name)} appears twice, as "
                + $"{string.Join(" and ", found.Take(2).Select(place => Quoted.Text(place.Entry.Name)))}; which of them is meant?");
        }
        (SafetensorsFile file, SafetensorsEntry entry) = found[0];
        FloatConversion.RequireSupported(file.Path, entry);
        if (!entry.Shape.SequenceEqual(spec.Shape.Select(e => (long)e))) throw WrongShape(spec, file, entry);
        return new Located(spec, file, entry);
    }

    private void RefuseOthers()
    {
        HashSet<string> known = [.. All.Select(tensor => tensor.Spec.Name)];
        if (Config.TiedHead) known.Add(Gpt2Layout.HeadWeight);
        IGrouping<string, WeightFiles.Place>[] others =
        [
            .. _places.Where(group => !known.Contains(group.Key)
                && s_parts.Any(part => group.Key.StartsWith(part, StringComparison.Ordinal))
                && !s_buffers.Any(buffer => group.Key.EndsWith(buffer, StringComparison.Ordinal))),
        ];
        if (others.Length == 0) return;
        int layers = 1 + others.Max(group => LayerOf(group.Key));
        string name = Quoted.Text(others.MaxBy(group => LayerOf(group.Key))!.First().Entry.Name);
        throw new GradpathException(layers > Config.Layers
            ? $"{_files.Description}: holds {name}, a tensor of layer {layers - 1} counted from 0, but config.json states n_layer = "
                + $"{Config.Layers}; config.json and the weights do not belong together"
            : $"{_files.Description}: holds {name}, which a GPT-2 model does not have; without it another model would run "
                + "(adapters and the like must be merged into the weights first)");
    }

    private static int LayerOf(string name)
    {
        string[] parts = name.Split('.');
        return parts is ["h", { } layer, ..] && int.TryParse(layer, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number < int.MaxValue ? number : -1;
    }

    private static bool SameValues(Located a, Located b)
    {
        TensorReader first = new(a.File, a.Entry), second = new(b.File, b.Entry);
        while (first.Next() is { IsEmpty: false } values)
        {
            if (!values.SequenceEqual(second.Next())) return false;
        }
        return true;
    }

    private GradpathException Missing(TensorSpec spec)
    {
        string expected = $"expected shape [{string.Join(", ", spec.Shape)}] = {spec.Rule}; {TensorNames.First(_files.Names)}";
        return spec.Name == Gpt2Layout.HeadWeight
            ? new($"{_files.Description}: holds no tensor {Quoted.Name(spec.Name)}, which config.json asks for by "
                + $"tie_word_embeddings = false; {expected}")
            : new($"{_files.Description}: holds no tensor 'transformer.{spec.Name}' (nor {Quoted.Name(spec.Name)}), which a GPT-2 model "
                + $"with n_layer = {Config.Layers} needs; {expected}");
    }

    private static GradpathException WrongShape(TensorSpec spec, SafetensorsFile file, SafetensorsEntry entry)
    {
        string hint = spec.Shape.Length == 2 && entry.Shape.Length == 2 && entry.Shape[0] == spec.Shape[1]
            && entry.Shape[1] == spec.Shape[0]
            ? " (it seems to be transposed: GPT-2 stores its matrices as [in, out])"
            : "";
        return new GradpathException($"{file.Path}: tensor {Quoted.Name(entry.Name)} has shape {entry.ShapeText}; config.json implies "
            + $"[{string.Join(", ", spec.Shape)}] = {spec.Rule}{hint}");
    }
}
