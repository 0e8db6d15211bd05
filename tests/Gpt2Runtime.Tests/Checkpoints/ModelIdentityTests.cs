using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>What weights say about themselves, wherever they came from.</summary>
public sealed class ModelIdentityTests
{
    private static readonly Gpt2Config Config = new() { Layers = 2, Heads = 2, Width = 8, InnerWidth = 12, Positions = 6, Vocabulary = 9 };
    private static readonly string Demo = RepositoryFiles.DemoModel;

    [Fact]
    public void Weights_of_a_checkpoint_have_its_name_and_hash_also_when_it_is_closed()
    {
        using var device = new CpuDevice(1);
        Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(Demo);
        using Gpt2Weights model = checkpoint.LoadWeights(device), named = checkpoint.LoadWeights(device, "the demo");
        checkpoint.Dispose();
        Assert.Equal(("demo", "the demo"), (model.Name, named.Name));
        using Gpt2Checkpoint again = Gpt2Checkpoint.Open(Demo);
        Assert.Equal(again.Hash, model.Hash);
        Assert.Equal(again.Hash, named.Hash);
    }

    [Fact]
    public void Random_weights_are_identified_by_what_they_are_made_from()
    {
        using var device = new CpuDevice(1);
        string Hash(int seed = 1, float scale = 0.02f, float gains = 0, float biases = 0, bool head = false, Gpt2Config? config = null)
        {
            using Gpt2Weights model = RandomGpt2Weights.Create(config ?? Config, seed, device, scale, gains, biases, head);
            Assert.Equal($"random, seed {seed}", model.Name);
            return model.Hash;
        }
        string[] hashes =
        [
            Hash(), Hash(2), Hash(scale: 0.03f), Hash(gains: 0.1f), Hash(biases: 0.1f), Hash(head: true),
            Hash(config: Config with { Layers = 3 }), Hash(config: Config with { Epsilon = 1e-6f }),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(hashes[0], Hash());
        Assert.StartsWith("sha256-random:", hashes[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Other_weights_are_identified_by_their_numbers()
    {
        using var device = new CpuDevice(1);
        string Hash(int seed, Action<Gpt2Weights>? change = null)
        {
            using Gpt2Weights model = EngineModels.Weights(ReferenceModel.Random(Config, seed), device);
            change?.Invoke(model);
            Assert.Equal("unnamed", model.Name);
            return model.Hash;
        }
        string hash = Hash(1);
        Assert.StartsWith("sha256-weights:", hash, StringComparison.Ordinal);
        Assert.Equal(hash, Hash(1));
        Assert.NotEqual(hash, Hash(2));
        Assert.NotEqual(hash, Hash(1, model => model.Layers[1].DownBias.Upload([1e-3f])));
    }
}
