using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;
namespace Gradpath.Cuda.Tests;
public sealed class TmpShapes(ITestOutputHelper output)
{
    [Theory]
    [InlineData("eap-ig", "")]
    [InlineData("eap-gp", "")]
    [InlineData("eap-gp", "published")]
    [InlineData("eap", "")]
    public void Shapes(string method, string preset)
    {
        Gpt2Config config = new() { Layers = 12, Heads = 12, Width = 768, InnerWidth = 3072, Positions = 1024, Vocabulary = 50257 };
        CountingDriver driver = new();
        using CudaDevice device = new(driver, 0);
        using Gpt2Weights model = RandomGpt2Weights.Create(config, 1, device);
        var random = new Random(1);
        PromptPair[] one = [.. Enumerable.Range(0, 20).Select(_ =>
        {
            int[] clean = [.. Enumerable.Range(0, 16).Select(_ => random.Next(50257))];
            int[] corrupted = [.. clean];
            corrupted[12] = (clean[12] + 1 + random.Next(50000)) % 50257;
            return new PromptPair(clean, corrupted, [random.Next(50257)], [random.Next(50257)]);
        })];
        driver.Reset();
        Dictionary<string, int> seen = [];
        device.ForcedPlan = s =>
        {
            GemmPlan p = GemmPlan.Choose(s, device.Arithmetic, false, 132, 232448, CudaDevice.PartialsBytes);
            string k = $"{s} {p.Tile?.Rows}x{p.Tile?.Columns} splits {p.Splits} inplace {p.Splits > 1 && p.AddsInPlace(s)}";
            seen[k] = seen.GetValueOrDefault(k) + 1;
            return p;
        };
        var o = new AttributionOptions { Method = AttributionMethods.All.Single(m => m.Name == method), BatchSize = 20 };
        if (preset == "published") o = o with { EmbeddingPath = EmbeddingPathOptions.Published };
        EdgeAttribution.Score(model, PromptSet.Of(one), o);
        foreach (var x in seen.OrderByDescending(x => x.Value)) output.WriteLine($"{x.Value} {x.Key}");
        output.WriteLine($"{method} {preset}: {driver.Total} " + string.Join(", ", driver.Operations.OrderByDescending(x => x.Value).Select(x => $"{x.Key} {x.Value}")));
    }
}
