namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>An edge as a list has it.</summary>
/// <param name="Where">File and place, for messages.</param>
/// <param name="Name">Its name, such as <c>a0.h1-&gt;a3.h2&lt;q&gt;</c>.</param>
/// <param name="Score">Its score; null or NaN where it has none.</param>
/// <param name="IsIn">Whether it is in the circuit; null where the list does not say.</param>
internal readonly record struct EdgeEntry(string Where, string Name, float? Score = null, bool? IsIn = null);
