using System.Text.Json.Nodes;
using Gradpath.Programs.Reporting;

namespace Gradpath.Host.Tests;

public sealed class CommandReportTests
{
    private static readonly (string Name, double Value, long? Count)[] s_rows = [("a", 0.12345678, 1234), ("b", double.NaN, null)];

    [Fact]
    public void A_column_is_a_cell_for_people_and_a_value_for_programs()
    {
        (string text, JsonObject json) = Both(report => report.Table(ReportTable.Of("rows", s_rows)
            .Text("name", "name", r => r.Name).Number("KL [nats]", "kl", r => r.Value).Count("edges", "edges", r => r.Count)
            .Hidden("whole", r => r.Value).Shows("half", r => (r.Value / 2).ToString("0.00"))));
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(lines, l => l.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            is ["name", "KL [nats]", "edges", "half"]);
        Assert.Contains(lines, l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["a", "0.1235", "1,234", "0.06"]);
        Assert.Equal("""[{"name":"a","kl":0.12345678,"edges":1234,"whole":0.12345678},{"name":"b","kl":null,"edges":null,"whole":null}]""",
            json["tables"]!["rows"]!.ToJsonString());
    }

    [Fact]
    public void A_line_states_facts_and_a_note_explains()
    {
        (string text, JsonObject json) = Both(report =>
        {
            report.Line("KL 0.5 of 3 edges", ("kl", 0.5f), ("edges", 3), ("names", new[] { "x", "y" }), ("none", null));
            report.Note("KL: in nats.");
            report.File("circuit", "c.json");
            report.File("log", null);
        });
        Assert.Equal("KL 0.5 of 3 edges\nKL: in nats.\ncircuit: c.json\n", text);
        Assert.Equal("""{"kl":0.5,"edges":3,"names":["x","y"],"none":null}""", json["facts"]!.ToJsonString());
        Assert.Equal("""["KL: in nats."]""", json["notes"]!.ToJsonString());
        Assert.Equal("""[{"what":"circuit","path":"c.json"}]""", json["files"]!.ToJsonString());
    }

    [Fact]
    public void Tables_of_measurements_are_markdown()
    {
        (string text, _) = Both(report => report.Table(ReportTable.Of("rows", s_rows).Text("name", "name", r => r.Name)
            .Number("KL", "kl", r => r.Value)), markdown: true);
        Assert.Equal("| name | KL |\n|---|---:|\n| a | 0.1235 |\n| b | - |\n", text);
    }

    [Fact]
    public void A_warning_is_on_the_error_stream_and_in_the_object()
    {
        using StringWriter output = new(), error = new() { NewLine = "\n" };
        Terminal terminal = new(TextReader.Null, output, error) { Json = true };
        terminal.Warn("odd");
        new CommandReport().Write(terminal, "verb");
        Assert.Equal("warning: odd\n", error.ToString());
        Assert.Equal("odd", JsonNode.Parse(output.ToString())!["warnings"]![0]!.GetValue<string>());
    }

    private static (string Text, JsonObject Json) Both(Action<CommandReport> build, bool markdown = false)
    {
        string[] written = [.. new[] { false, true }.Select(json =>
        {
            using StringWriter output = new() { NewLine = "\n" };
            CommandReport report = new() { Markdown = markdown };
            build(report);
            report.Write(new Terminal(TextReader.Null, output, TextWriter.Null) { Json = json }, "verb");
            return output.ToString();
        })];
        return (written[0], JsonNode.Parse(written[1])!.AsObject());
    }
}
