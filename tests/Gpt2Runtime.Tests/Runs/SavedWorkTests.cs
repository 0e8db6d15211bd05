using System.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Discovery;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

/// <summary>Progress files of all work that can be gone on with: bits, and mutations of every kind.</summary>
public sealed class SavedWorkTests
{
    private const int Mutations = 120;
    private const string Exact = "exact";

    public static TheoryData<string> All => [.. CircuitSearches.All.Select(s => s.Name), Exact];

    [Fact]
    public void Exact_patching_stopped_after_any_pass_goes_on_to_the_same_bits_with_the_same_batches()
    {
        using OddModel model = OddModel.Make("head bias");
        var kept = new MemoryCheckpoint();
        AttributionResult whole = Score(model, kept, 2);
        Assert.True(kept.States.Count > 10, $"only {kept.States.Count} states");
        for (int i = 0; i < kept.States.Count; i += 5)
        {
            // The size of a batch is that of the state, whatever would be chosen now.
            var goingOn = new MemoryCheckpoint(kept.States[i]);
            AttributionResult rest = Score(model, goingOn, 0);
            Assert.Equal(whole.Scores.Values.ToArray(), rest.Scores.Values.ToArray());
            Assert.Equal(whole.Scores.NodeScores.ToArray(), rest.Scores.NodeScores.ToArray());
            Assert.Equal(whole.CleanMetric.ToArray(), rest.CleanMetric.ToArray());
            Assert.Equal(whole.CorruptedMetric.ToArray(), rest.CorruptedMetric.ToArray());
            Assert.Equal(kept.States.Count - 1 - i, goingOn.States.Count);
            Assert.Equal(whole.Plan.Batches, rest.Plan.Batches);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_mutated_file_is_refused_as_damaged_or_is_one_that_can_be_gone_on_with(string name)
    {
        using OddModel model = OddModel.Make("one head");
        using TempFolder folder = new();
        var kept = new MemoryCheckpoint();
        Run(model, name, kept);
        var file = new ProgressFile(folder["out.json"], name, new() { ["--data"] = "pairs" });
        Random random = new(7);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            file.Save((System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse(kept.States[i % kept.States.Count])!);
            byte[] mutated = Mutate(File.ReadAllBytes(file.Path), random);
            File.WriteAllBytes(file.Path, mutated);
            try
            {
                var other = new ProgressFile(folder["out.json"], name, new() { ["--data"] = "pairs" });
                other.Resume();
                Run(model, name, other);
            }
            catch (GradpathException)
            {
                refused++;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Assert.Fail($"mutation {i}: {e}\n{Encoding.UTF8.GetString(mutated)}");
            }
        }
        Assert.True(refused > Mutations / 2, $"only {refused} were refused");
    }

    private static void Run(OddModel model, string name, RunCheckpoint checkpoint)
    {
        if (name == Exact) Score(model, checkpoint, 2);
        else
        {
            CircuitSearch search = CircuitSearches.Find(name);
            search.Search(model.Weights, PromptSet.Of(model.Mixed), CircuitSearchesTests.Short(search), checkpoint, null, default);
        }
    }

    private static AttributionResult Score(OddModel model, RunCheckpoint checkpoint, int batchSize) => EdgeAttribution.Run(
        model.Weights, PromptSet.Of(model.Mixed), new AttributionOptions { Method = AttributionMethods.Exact, BatchSize = batchSize },
        checkpoint, null, CancellationToken.None);

    // A byte, a cut, a piece twice, a piece elsewhere, a number or a text that cannot be.
    private static byte[] Mutate(byte[] bytes, Random random)
    {
        List<byte> list = [.. bytes];
        int at = random.Next(list.Count), length = random.Next(1, Math.Min(40, list.Count - at + 1));
        string[] pieces =
            ["1e999", "-1", "99999999999", "null", "\"\\ud800\"", "[]", "{}", "\"AAAA\"", "true", "\u00e9", "\"command\":\"x\","];
        switch (random.Next(6))
        {
            case 0:
                list[at] = (byte)random.Next(256);
                break;
            case 1:
                list.RemoveRange(at, list.Count - at);
                break;
            case 2:
                list.RemoveRange(at, length);
                break;
            case 3:
                list.InsertRange(at, list.GetRange(random.Next(list.Count - length + 1), length));
                break;
            case 4:
                Replace(list, random, (byte)':', pieces);
                break;
            default:
                list.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
                break;
        }
        return [.. list];
    }

    // Another value behind a key.
    private static void Replace(List<byte> list, Random random, byte mark, string[] pieces)
    {
        int[] places = [.. Enumerable.Range(0, list.Count).Where(i => list[i] == mark)];
        int from = places[random.Next(places.Length)] + 1, to = from;
        while (to < list.Count && list[to] is not ((byte)',' or (byte)'}')) to++;
        list.RemoveRange(from, to - from);
        list.InsertRange(from, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
    }
}
