namespace Gradpath.Gpt2Runtime;

/// <summary>
/// What options are called where people write them as text: on command lines, in plans, in JSON. A property has the option of its name
/// (<c>BatchSize</c> is <c>batch-size</c>) but for those that are listed here.
/// </summary>
internal static class OptionTerms
{
    private static readonly Dictionary<string, string> s_special = new(StringComparer.Ordinal)
    {
        [Terms.AnswerReading.Name] = "answer",
        [Terms.EmbeddingPathNorm.Name] = "path-norm",
        [Terms.EmbeddingPathObjective.Name] = "path-objective",
        [Terms.EmbeddingPathOuter.Name] = "path-outer",
        [Terms.EmbeddingPathStart.Name] = "path-start",
        [Terms.EmbeddingPathStep.Name] = "path-eta",
        [Terms.EmbeddingPathDirection.Name] = "path-direction",
        [Terms.EnsembleMembers.Name] = "of",
        [Terms.MemoryBudget.Name] = "memory",
        [Terms.Share.Name] = "keep",
        [Terms.Top.Name] = "top-n",
    };

    /// <summary>The option of a term.</summary>
    /// <param name="term">The term.</param>
    /// <returns>Its name, without dashes in front and without a value.</returns>
    public static string Of(Term term) => s_special.GetValueOrDefault(term.Name) ?? CanonicalNames.Kebab(term.Name);
}
