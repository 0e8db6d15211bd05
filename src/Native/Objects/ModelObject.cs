using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>A model on a device, with its vocabulary where it came from a directory that has one.</summary>
internal sealed class ModelObject : IHandled
{
    private readonly Shared<Device> _device;
    private readonly Lazy<BpeTokenizer>? _tokenizer;
    private readonly IReadOnlyList<string> _warnings;

    /// <summary>Takes weights over.</summary>
    /// <param name="device">The device that they are on, joined for this.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="directory">Where they came from; null where a program had them.</param>
    /// <param name="warnings">What a user should know of the files.</param>
    public ModelObject(Shared<Device> device, Gpt2Weights weights, string? directory, IReadOnlyList<string> warnings)
    {
        _device = device;
        Weights = weights;
        _warnings = warnings;
        if (directory is not null && BpeTokenizer.HasVocabulary(directory))
            _tokenizer = new Lazy<BpeTokenizer>(() => BpeTokenizer.Load(directory));
    }

    /// <summary>The weights.</summary>
    public Gpt2Weights Weights { get; }

    /// <summary>The vocabulary; null where there is none. Not read before it is asked for.</summary>
    public Lazy<BpeTokenizer>? Tokenizer => _tokenizer;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Model;

    /// <inheritdoc />
    public JsonObject Describe()
    {
        Gpt2Config c = Weights.Config;
        ComputationGraph graph = new(c);
        return new JsonObject
        {
            ["name"] = Weights.Name,
            ["hash"] = Weights.Hash,
            ["device"] = Weights.Device.Name,
            ["n_layers"] = c.Layers,
            ["n_heads"] = c.Heads,
            ["d_model"] = c.Width,
            ["d_mlp"] = c.InnerWidth,
            ["n_positions"] = c.Positions,
            ["n_vocabulary"] = c.Vocabulary,
            ["n_writers"] = graph.Writers,
            ["n_readers"] = graph.Readers,
            ["n_edges"] = graph.EdgeCount,
            ["has_vocabulary"] = _tokenizer is not null,
            ["warnings"] = Texts.Array(_warnings),
        };
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Weights.Dispose();
        _device.Leave();
    }
}
