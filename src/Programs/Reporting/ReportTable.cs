using System.Text.Json.Nodes;

namespace Gradpath.Programs.Reporting;

/// <summary>A table of a report. Its columns know their headings, their names in JSON and how a value reads.</summary>
/// <param name="name">Its name in JSON.</param>
internal abstract class ReportTable(string name)
{
    /// <summary>Its name in JSON.</summary>
    public string Name { get; } = name;

    /// <summary>The headings that people see, and whether their cells stand to the right.</summary>
    public abstract IReadOnlyList<(string Heading, bool Right)> Headings { get; }

    /// <summary>The cells that people see, row by row.</summary>
    public abstract IEnumerable<string[]> Cells { get; }

    /// <summary>A table without columns over some rows; the columns follow.</summary>
    /// <param name="name">Its name in JSON.</param>
    /// <param name="rows">The rows.</param>
    public static ReportTableOf<T> Of<T>(string name, IEnumerable<T> rows) => new(name, rows);

    /// <summary>The rows as JSON objects.</summary>
    public abstract JsonArray ToJson();
}
