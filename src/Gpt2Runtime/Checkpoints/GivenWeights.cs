using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>Brings weights that a program has in memory to a device: the model of <see cref="Gpt2Weights.FromMemory"/>.</summary>
internal static class GivenWeights
{
    /// <summary>Brings the weights to a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="name">What result files call the model.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The weights.</returns>
    /// <exception cref="GradpathException">A tensor is missing, too much, of another length, or not finite.</exception>
    public static Gpt2Weights Load(
        Device device, Gpt2Config config, IReadOnlyDictionary<string, ReadOnlyMemory<float>> tensors, string name,
        CancellationToken cancellation)
    {
        Dictionary<string, (string Given, ReadOnlyMemory<float> Values)> named = Named(tensors);
        List<TensorSpec> specs = [.. Gpt2Layout.Of(config)];
        if (named.ContainsKey(Gpt2Layout.HeadBias)) specs.Add(Gpt2Layout.HeadBiasOf(config));
        foreach (TensorSpec spec in specs) Require(named, spec, config);
        if (named.Keys.Except(specs.Select(s => s.Name)).FirstOrDefault() is { } other)
            throw new GradpathException($"{named[other].Given}: {Unused(other, config)}");

        using RunLease lease = device.EnterRun();
        device.PrepareForScoring();
        Dictionary<string, Tensor> loaded = new(StringComparer.Ordinal);
        try
        {
            foreach (TensorSpec spec in specs)
            {
                cancellation.ThrowIfCancellationRequested();
                loaded.Add(spec.Name, Upload(device, spec, named[spec.Name].Given, named[spec.Name].Values));
            }
        }
        catch
        {
            foreach (Tensor tensor in loaded.Values) tensor.Dispose();
            throw;
        }
        Gpt2Weights? weights = null;
        weights = Gpt2Layout.Assemble(config, loaded, identity: new ModelIdentity(name, () => WeightsHash.Compute(weights!)));
        return weights;
    }

    private static Dictionary<string, (string Given, ReadOnlyMemory<float> Values)> Named(
        IReadOnlyDictionary<string, ReadOnlyMemory<float>> tensors)
    {
        Dictionary<string, (string Given, ReadOnlyMemory<float> Values)> named = new(StringComparer.Ordinal);
        foreach ((string given, ReadOnlyMemory<float> values) in tensors)
        {
            string bare = TensorNames.Bare(given);
            if (!named.TryAdd(bare, (given, values)))
                throw new GradpathException($"{given}: the same tensor as {named[bare].Given}; which of them is meant?");
        }
        return named;
    }

    private static void Require(
        Dictionary<string, (string Given, ReadOnlyMemory<float> Values)> named, TensorSpec spec, Gpt2Config config)
    {
        string expected = $"[{string.Join(", ", spec.Shape)}] = {spec.Rule}";
        if (!named.TryGetValue(spec.Name, out (string Given, ReadOnlyMemory<float> Values) tensor))
        {
            throw new GradpathException(
                $"{spec.Name}: no such tensor is given, which a GPT-2 model with n_layer = {config.Layers} needs; "
                + $"expected shape {expected}; given are "
                + (named.Count == 0 ? "none" : string.Join(", ", named.Values.Take(4).Select(t => t.Given)))
                + (named.Count > 4 ? $" and {named.Count - 4} more" : ""));
        }
        long length = spec.Shape.Aggregate(1L, (product, extent) => product * extent);
        if (tensor.Values.Length != length)
        {
            throw new GradpathException(
                $"{tensor.Given}: {tensor.Values.Length} values are given; the model's shape implies {length}, {expected}, row-major");
        }
    }

    private static string Unused(string name, Gpt2Config config) => name == Gpt2Layout.HeadWeight
        ? "the head is tied to the token embedding; leave it out, or say in the model's shape that it is not tied"
        : $"a GPT-2 model with n_layer = {config.Layers} has no such tensor; without it another model would run";

    private static unsafe Tensor Upload(Device device, TensorSpec spec, string given, ReadOnlyMemory<float> values)
    {
        int bad = FiniteCheck.IndexOfFirst(values.Span);
        if (bad >= 0) throw new GradpathException($"{given}: value {bad} is {values.Span[bad]}: not a finite number");
        return device.Receive(spec.Shape, address => values.Span.CopyTo(new Span<float>((float*)address, values.Length)));
    }
}
