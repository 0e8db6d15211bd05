using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>The transcoders of a model: one a layer, where there is one.</summary>
internal sealed class TranscoderSet : ResourceOwner
{
    private readonly Transcoder?[] _layers;

    /// <summary>Opens transcoders.</summary>
    /// <param name="name">What results call them.</param>
    /// <param name="specs">Their files.</param>
    /// <param name="config">The model's shape.</param>
    /// <exception cref="GradpathException">A file cannot be read, or does not fit the model.</exception>
    public TranscoderSet(string name, IReadOnlyList<TranscoderSpec> specs, Gpt2Config config)
    {
        Name = name;
        _layers = new Transcoder?[config.Layers];
        try
        {
            foreach (TranscoderSpec spec in specs)
            {
                if (spec.Layer < 0 || spec.Layer >= config.Layers)
                    throw new GradpathException($"{spec.Path}: is of layer {spec.Layer}, but the model has {config.Layers} layers");
                if (_layers[spec.Layer] is { } other)
                    throw new GradpathException($"{spec.Path}: layer {spec.Layer} has a transcoder already, {other.Spec.Path}");
                _layers[spec.Layer] = Own(Transcoder.Open(spec, config.Width));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What results call them.</summary>
    public string Name { get; }

    /// <summary>Per layer its transcoder, or null.</summary>
    public IReadOnlyList<Transcoder?> Layers => _layers;
}
