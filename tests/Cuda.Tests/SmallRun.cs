using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>GPT-2 small's shape and twenty pairs of 16 tokens that differ at token 12, on a GPU that only counts.</summary>
internal sealed class SmallRun : IDisposable
{
    private readonly TallyDriver _driver = new();
    private readonly CudaDevice _device;

    /// <summary>Makes the model.</summary>
    /// <param name="packed">Whether its weights are packed for the products of compute capability 9.0.</param>
    public SmallRun(bool packed = false)
    {
        _device = new CudaDevice(_driver, 0) { ChecksPacked = !packed };
        Model = RandomGpt2Weights.Create(Config, 1, _device);
        var random = new Random(1);
        Prompts = PromptSet.Of([.. Enumerable.Range(0, 20).Select(_ =>
        {
            int[] clean = [.. Enumerable.Range(0, 16).Select(_ => random.Next(50257))];
            int[] corrupted = [.. clean];
            corrupted[12] = (clean[12] + 1 + random.Next(50000)) % 50257;
            return new PromptPair(clean, corrupted, [random.Next(50257)], [random.Next(50257)]);
        })]);
    }

    /// <summary>GPT-2 small's shape.</summary>
    public static Gpt2Config Config { get; } = new()
    {
        Layers = 12,
        Heads = 12,
        Width = 768,
        InnerWidth = 3072,
        Positions = 1024,
        Vocabulary = 50257,
    };

    /// <summary>The model, with random weights.</summary>
    public Gpt2Weights Model { get; }

    /// <summary>The twenty pairs.</summary>
    public PromptSet Prompts { get; }

    /// <summary>The pairs so many times.</summary>
    public PromptSet Batches(int count) => PromptSet.Of([.. Enumerable.Range(0, count).SelectMany(_ => Prompts.Pairs)]);

    /// <summary>Does a work and says what it asked for.</summary>
    /// <param name="what">The work in words.</param>
    /// <param name="output">Where the counts are told by name.</param>
    /// <param name="work">The work.</param>
    /// <returns>Operations of the device, and calls of the host.</returns>
    public (int Operations, int HostCalls) Counted(string what, ITestOutputHelper output, Action work)
    {
        _driver.Reset();
        work();
        string by = string.Join(", ", _driver.Operations.OrderByDescending(p => p.Value).Select(p => $"{p.Key} {p.Value}"));
        output.WriteLine($"{what}: {_driver.Total} operations, {_driver.HostCalls} host calls: {by}");
        return (_driver.Total, _driver.HostCalls);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Model.Dispose();
        _device.Dispose();
    }
}
