using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Host.Commands;

namespace Gradpath.Host.Tests;

public sealed class TruthTests
{
    // Processors sum in other orders, and ranks of scores that are nearly equal follow.
    private const double Rounding = 0.02;

    [Fact]
    public void The_page_has_every_method_on_every_program_as_it_is_computed()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, TruthPage.Name));
        string[][] table =
        [
            .. page[page.IndexOf(TruthPage.Begin, StringComparison.Ordinal)..page.IndexOf(TruthPage.End, StringComparison.Ordinal)]
                .Split('\n').Where(l => l.StartsWith('|'))
                .Select(l => l.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
        ];
        Assert.Equal(["method", .. CompiledPrograms.All.Select(p => p.Name), "mean"], table[0]);
        Assert.Equal(AttributionMethods.All.Select(m => $"`{m.Name}`"), table[2..].Select(l => l[0]));

        Cli run = Cli.Run("benchmark", "--ground-truth", "--device", "cpu", "--threads", "1", "--json").Succeeds();
        var rows = JsonOutputTests.Fits(run.Out)["tables"]!["rows"]!.AsArray();
        Assert.Equal(AttributionMethods.All.Count * CompiledPrograms.All.Count, rows.Count);
        foreach (var row in rows)
        {
            int column = Array.IndexOf(table[0], row!["program"]!.GetValue<string>());
            string cell = table.First(l => l[0] == $"`{row["method"]!.GetValue<string>()}`")[column];
            double[] stated = [.. cell.Split(" / ").Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
            Assert.InRange(row["auroc"]!.GetValue<double>(), stated[0] - Rounding, stated[0] + Rounding);
            Assert.InRange(row["average_precision"]!.GetValue<double>(), stated[1] - Rounding, stated[1] + Rounding);
            if (row["method"]!.GetValue<string>() == "exact") Assert.Equal(1, row["average_precision"]!.GetValue<double>());
        }
    }

    [Fact]
    public void Methods_and_programs_are_picked_and_shown() => Cli.Run(
        "benchmark", "--ground-truth", "--device", "cpu", "--threads", "1", "--method", "exact,random", "--program", "fraction")
        .Succeeds("fraction", "exact", "1.00 / 1.00", "chance is 0.5");

    [Theory]
    [InlineData("--method eapp", "--method eapp: no such method; did you mean eap?")]
    [InlineData("--program sorte", "--program sorte")]
    [InlineData("--program sort,sort", "--program sort,sort: sort appears")]
    [InlineData("--method ifr,information-flow-routes", "--method: information-flow-routes is named twice")]
    [InlineData("--limit 0", "--limit")]
    [InlineData("--update --limit 3", "--update writes the whole table")]
    [InlineData("--device cpu --precision tf32", "--precision")]
    public void What_cannot_be_used_is_refused(string options, string message) =>
        Cli.Run(["benchmark", "--ground-truth", .. options.Split(' ')]).Fails(2, message);

    [Fact]
    public void Only_what_lies_between_the_marks_is_written()
    {
        using TempFolder folder = new();
        string page = folder.Write("page.md", $"before\n{TruthPage.Begin}\nold\n{TruthPage.End}\nbehind\n");
        TruthRow row = new("sort", "eap", new(0.625, 0.5, 2, 8), 0, 1);
        TruthPage.Write(page, [row]);
        Assert.Equal(
            $"before\n{TruthPage.Begin}\n| method | sort | mean |\n|---|---|---|\n| `eap` | 0.63 / 0.50 | 0.63 / 0.50 |\n"
                + $"{TruthPage.End}\nbehind\n",
            File.ReadAllText(page));
        Assert.Throws<Gpt2Runtime.GradpathException>(() => TruthPage.Write(folder.Write("none.md", "nothing"), [row]));
    }
}
