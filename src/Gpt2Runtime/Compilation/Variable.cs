namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>A variable of a program: coordinates of the residual stream that hold one value at each position.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Start">The first coordinate.</param>
/// <param name="Size">How many there are: one per value of a categorical variable, which has 1 there and 0 elsewhere; 1 for a
/// number.</param>
internal sealed record Variable(string Name, int Start, int Size)
{
    private readonly Dictionary<int, bool> _writers = [];

    /// <summary>The nodes of the graph that write it, as rows, and whether what each writes depends on the tokens of the prompt. What
    /// depends on positions alone is the same on the clean and on the corrupted prompt and carries no information.</summary>
    public IReadOnlyDictionary<int, bool> Writers => _writers;

    /// <summary>Whether its value depends on tokens.</summary>
    public bool IsInformed => _writers.ContainsValue(true);

    /// <summary>Whether distractors may write a little into it: they may not where a number is read as one.</summary>
    public bool IsCategorical => Size > 1;

    /// <summary>Notes that a node writes it.</summary>
    /// <param name="row">The node.</param>
    /// <param name="informed">Whether what it writes depends on tokens.</param>
    public void WrittenBy(int row, bool informed) => _writers[row] = informed || _writers.GetValueOrDefault(row);
}
