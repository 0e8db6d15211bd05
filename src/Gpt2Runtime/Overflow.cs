namespace Gradpath.Gpt2Runtime;

/// <summary>Numbers that a run computes and that are none: NaN or infinite.</summary>
internal static class Overflow
{
    /// <summary>What to say where a number that comes out is none.</summary>
    /// <param name="what">The number.</param>
    /// <returns>The error.</returns>
    public static GradpathException Of(string what) => GradpathException.Worded(
        $"{what} is not a number: the model or the metric overflowed on these prompts; check {Terms.Checkpoint} and the prompts' answers");
}
