namespace Gradpath.Programs.Reporting;

/// <summary>Facts as a table of two columns: what each is, and what it says.</summary>
internal sealed class FactSheet
{
    private readonly List<(string Label, string Text, (string Name, object? Value)[] Facts)> _rows = [];

    /// <summary>The rows, in order.</summary>
    public IReadOnlyList<(string Label, string Text, (string Name, object? Value)[] Facts)> Rows => _rows;

    /// <summary>Adds a row with the facts that it states.</summary>
    public void Row(string label, string text, params (string Name, object? Value)[] facts) => _rows.Add((label, text, facts));
}
