using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>A model on a device, with its vocabulary where it came from a directory that has one.</summary>
internal sealed class ModelObject : IHandled
{
    private readonly Shared<Device> _device;
    private readonly IReadOnlyList<string> _warnings;

    /// <summary>Takes weights over.</summary>
    /// <param name="device">The device that they are on, joined for this.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="tokenizer">The vocabulary, read when it is asked for; null for none.</param>
    /// <param name="warnings">What a user should know of the files.</param>
    public ModelObject(Shared<Device> device, Gpt2Weights weights, Lazy<BpeTokenizer>? tokenizer, IReadOnlyList<string> warnings)
    {
        _device = device;
        Weights = weights;
        _warnings = warnings;
        Tokenizer = tokenizer;
    }

    /// <summary>The weights.</summary>
    public Gpt2Weights Weights { get; }

    /// <summary>The vocabulary; null where there is none. Not read before it is asked for.</summary>
    public Lazy<BpeTokenizer>? Tokenizer { get; }

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
            ["has_vocabulary"] = Tokenizer is not null,
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
