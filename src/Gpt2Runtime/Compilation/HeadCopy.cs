namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>What a compiled head moves: a variable at the positions that it looks at, into one at its own position.</summary>
/// <param name="From">What is read there.</param>
/// <param name="To">What is written here.</param>
/// <param name="Weight">How much each value read adds to each value written.</param>
internal sealed record HeadCopy(Variable From, Variable To, Func<int, int, double> Weight)
{
    /// <summary>The same value, times a strength.</summary>
    /// <param name="from">What is read.</param>
    /// <param name="to">What is written; value 0 of it is value <paramref name="first"/> of the other.</param>
    /// <param name="first">The first value that counts.</param>
    /// <param name="strength">The strength.</param>
    public static HeadCopy Of(Variable from, Variable to, int first = 0, double strength = 1) =>
        new(from, to, (i, j) => i - first == j ? strength : 0);
}
