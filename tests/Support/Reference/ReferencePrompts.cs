
namespace Gradpath.Tests.Support.Reference;

/// <summary>Random prompt pairs for comparisons on odd shapes.</summary>
internal static class ReferencePrompts
{
    /// <summary>Pairs that differ in one to three positions, with one to three answers and wrong answers each.</summary>
    public static PromptPair[] Random(int vocabulary, int count, int shortest, int longest, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            int[] clean = Draw(random, vocabulary, random.Next(shortest, longest + 1));
            int[] corrupted = [.. clean];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                corrupted[random.Next(corrupted.Length)] = random.Next(vocabulary);
            }
            int[] judged = [.. Enumerable.Range(0, vocabulary)];
            random.Shuffle(judged);
            int answers = random.Next(1, Math.Min(3, vocabulary / 2) + 1), wrong = random.Next(1, Math.Min(3, vocabulary / 2) + 1);
            return new PromptPair(clean, corrupted, judged[..answers], judged[answers..(answers + wrong)], Id: $"random {i}");
        })];
    }

    private static int[] Draw(Random random, int vocabulary, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
}
