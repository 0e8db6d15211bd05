using System.Text.Json.Nodes;
using Spectre.Console;

namespace Gradpath.Programs.Reporting;

/// <summary>
/// What a command found. It is written at the end, or as its parts are there: as lines and tables for people, or with <c>--json</c> as one
/// object that has all that those show.
/// </summary>
internal sealed class CommandReport
{
    private readonly List<Action<Terminal>> _text = [];
    private readonly JsonObject _facts = [];
    private readonly List<ReportTable> _tables = [];
    private readonly List<string> _notes = [];
    private readonly List<(string What, string Path)> _files = [];

    /// <summary>The exit code, see <see cref="Programs.ExitCode"/>.</summary>
    public int ExitCode { get; set; } = Programs.ExitCode.Success;

    /// <summary>How it was made, as result files state it; null where no model ran.</summary>
    public JsonObject? Provenance { get; set; }

    /// <summary>Whether tables are written in markdown, as the pages of measurements have them.</summary>
    public bool Markdown { get; init; }

    /// <summary>Adds a line and the facts that it states.</summary>
    public void Line(string text, params (string Name, object? Value)[] facts)
    {
        Plain(text);
        foreach ((string name, object? value) in facts) Fact(name, value);
    }

    /// <summary>Adds a sentence that explains; JSON has it among its notes.</summary>
    public void Note(string text)
    {
        Plain(text);
        _notes.Add(text);
    }

    /// <summary>Adds a fact that only JSON has.</summary>
    public void Fact(string name, object? value) => _facts.Add(name, ReportJson.Node(value));

    /// <summary>Adds what only people see: a heading, a plot of numbers that a table has, an empty line.</summary>
    public void Plain(string text) => _text.Add(terminal => terminal.Out.WriteLine(text));

    /// <summary>Adds a drawing of numbers that a table has.</summary>
    public void Draw(Action<Terminal> draw) => _text.Add(draw);

    /// <summary>Adds a table.</summary>
    public void Table(ReportTable table)
    {
        Show(table);
        Data(table);
    }

    /// <summary>Adds a table that only JSON has.</summary>
    public void Data(ReportTable table) => _tables.Add(table);

    /// <summary>Adds a table that only people see; another one has its numbers.</summary>
    public void Show(ReportTable table) => _text.Add(Markdown ? t => WriteMarkdown(t, table) : t => t.Console.Write(Grid(table)));

    /// <summary>Adds facts as a table of two columns.</summary>
    public void Sheet(FactSheet sheet)
    {
        _text.Add(terminal =>
        {
            Table grid = new Table { Border = TableBorder.Simple, ShowHeaders = false }.AddColumn("").AddColumn("");
            foreach ((string label, string text, _) in sheet.Rows) grid.AddRow(new Text(label), new Text(text));
            terminal.Console.Write(grid);
        });
        foreach ((string name, object? value) in sheet.Rows.SelectMany(row => row.Facts)) Fact(name, value);
    }

    /// <summary>Adds a file that was written; nothing where there is none.</summary>
    /// <param name="what">What it holds.</param>
    /// <param name="path">Its path, or null.</param>
    /// <param name="line">The line that says so, where it is not <c>what: path</c>.</param>
    public void File(string what, string? path, string? line = null)
    {
        if (path is null) return;
        Plain(line ?? $"{what}: {path}");
        _files.Add((what, path));
    }

    /// <summary>
    /// Writes at once what people see of it so far, for a command whose parts take long; with <c>--json</c> the object comes at the end.
    /// </summary>
    /// <param name="terminal">Where to.</param>
    public void WriteSoFar(Terminal terminal)
    {
        if (terminal.Json) return;
        foreach (Action<Terminal> part in _text) part(terminal);
        _text.Clear();
        terminal.Out.Flush();
    }

    /// <summary>Writes the report in the way that the terminal was asked for.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="verb">The command's name.</param>
    public void Write(Terminal terminal, string verb)
    {
        if (terminal.Json) ReportJson.Write(terminal.Out, ToJson(verb, terminal));
        else foreach (Action<Terminal> part in _text) part(terminal);
    }

    private JsonObject ToJson(string verb, Terminal terminal)
    {
        JsonObject json = JsonOf(verb, ExitCode);
        json["facts"] = _facts;
        json["tables"] = new JsonObject(_tables.Select(t => KeyValuePair.Create(t.Name, (JsonNode?)t.ToJson())));
        json["files"] = new JsonArray([.. _files.Select(f => new JsonObject { ["what"] = f.What, ["path"] = f.Path })]);
        json["notes"] = ReportJson.Node(_notes.Concat(terminal.Notes));
        json["warnings"] = ReportJson.Node(terminal.Warnings);
        json["gradpath"] = ReportJson.Node(Provenance);
        return json;
    }

    /// <summary>The beginning of every object: the command, the program's version, the exit code.</summary>
    public static JsonObject JsonOf(string? verb, int exitCode) => new()
    {
        ["verb"] = verb,
        ["version"] = Gpt2Runtime.Graph.Provenance.ProgramVersion,
        ["exit_code"] = exitCode,
    };

    private static Table Grid(ReportTable table)
    {
        Table grid = new() { Border = TableBorder.Simple };
        foreach ((string heading, bool right) in table.Headings)
        {
            TableColumn column = new(Markup.Escape(heading));
            grid.AddColumn(right ? column.RightAligned() : column);
        }
        foreach (string[] cells in table.Cells) grid.AddRow(cells.Select(c => new Text(c)));
        return grid;
    }

    private static void WriteMarkdown(Terminal terminal, ReportTable table)
    {
        terminal.Out.WriteLine($"| {string.Join(" | ", table.Headings.Select(h => h.Heading))} |");
        terminal.Out.WriteLine($"|{string.Concat(table.Headings.Select(h => h.Right ? "---:|" : "---|"))}");
        foreach (string[] cells in table.Cells) terminal.Out.WriteLine($"| {string.Join(" | ", cells)} |");
    }
}
