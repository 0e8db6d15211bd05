using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// What a user should know of how a file's rows became prompts. Of each kind the first row is told, and how many rows there are of it.
/// </summary>
internal sealed class PromptNotes
{
    private readonly Dictionary<string, (string First, int Count)> _notes = new(StringComparer.Ordinal);

    /// <summary>The notes, a sentence each, in the order in which their kinds came up.</summary>
    public IEnumerable<string> Lines => _notes.Select(note => note.Value.Count == 1
        ? note.Value.First
        : string.Create(CultureInfo.InvariantCulture, $"{note.Value.First} ({note.Value.Count} {note.Key})"));

    /// <summary>Takes a note.</summary>
    /// <param name="many">What there are several of where this is not the only one: <c>rows are like it</c>. Tells the kinds apart.</param>
    /// <param name="where">File and row.</param>
    /// <param name="what">The rest of the sentence.</param>
    public void Add(string many, string where, string what) =>
        _notes[many] = _notes.TryGetValue(many, out var note) ? (note.First, note.Count + 1) : ($"{where}: {what}", 1);
}
