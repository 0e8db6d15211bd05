using System.Diagnostics;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Units;
using Xunit.Abstractions;
using static Gradpath.Host.Tests.MergeSamples;

namespace Gradpath.Host.Tests;

public sealed class SweepMergeTests(ITestOutputHelper output)
{
    private const string Nasty = @"a\b{c}$d&e#f_g%h~i^j<k>|l*m`n[o]""p";

    [Fact]
    public void Latex_shows_every_sign_of_a_name()
    {
        Assert.Equal(
            @"a\textbackslash{}b\{c\}\$d\&e\#f\_g\%h\textasciitilde{}i\textasciicircum{}j\textless{}k\textgreater{}\textbar{}l*m"
            + @"\char96{}n[o]\char34{}p", SweepLatex.Escape(Nasty));
        Assert.Equal("a b", SweepLatex.Escape("a\nb"));
    }

    [Fact]
    public void Markdown_shows_every_sign_of_a_name()
    {
        Assert.Equal(@"a\\b{c}\$d&amp;e\#f\_g%h\~i^j&lt;k\>\|l\*m\`n\[o\]""p", SweepMarkdown.Escape(Nasty));
        Assert.Equal("a b", SweepMarkdown.Escape("a\nb"));
    }

    [Fact]
    public void Tables_have_mean_interval_and_the_best_in_bold()
    {
        using TempFolder folder = new();
        SweepUnit a = Unit(Eap, "a_b", 0, 0), b = Unit(Eap, "a_b", 1, 1), c = Unit(EapIg, "a_b", 0, 2), d = Unit(Eap, "sva", 0, 3);
        UnitRow Kl(double kl) => Row("size", 0.5, 0.05, "a_b") with { Kl = kl };
        MergeInput input = Input(
            (a, Result(a, 0.25, Kl(1e-5))), (b, Result(b, 0.75, Kl(1e-5))), (c, Result(c, 0.125, Kl(0.5))), (d, Result(d, 0.5)));
        SweepMerge.Write(input, MergeTargets.In(folder.Path));
        string tex = File.ReadAllText(folder["table.tex"]), markdown = File.ReadAllText(folder["table.md"]);
        Assert.Contains(
            @"\begin{tabular}{lrr}" + "\n    \\toprule\n    method & a\\_b & sva \\\\\n    \\midrule\n", tex, StringComparison.Ordinal);
        Assert.Contains(@"    eap & $0.500 \pm 3.177$ ($n = 2$) & $0.500$ \\" + "\n", tex, StringComparison.Ordinal);
        Assert.Contains(@"    eap-ig steps=5 path-start=clean & $\mathbf{0.125}$ & -- \\" + "\n", tex, StringComparison.Ordinal);
        Assert.Contains(@"$\mathbf{1.000 \times 10^{-5}} \pm 0$", tex, StringComparison.Ordinal);
        Assert.Contains("| method | a\\_b | sva |\n| :--- | ---: | ---: |\n| eap | 0.500 ± 3.177 (n = 2) | 0.500 |\n"
            + "| eap-ig steps=5 path-start=clean | **0.125** | - |\n", markdown, StringComparison.Ordinal);
        foreach (string text in new[] { tex, markdown }) Assert.Contains("in nats", text, StringComparison.Ordinal);
        Assert.Equal(tex.Split("\\begin{table}").Length, tex.Split("\\end{table}").Length);
    }

    [SkippableFact]
    public void Latex_takes_the_tables()
    {
        string? latex = ShellRun.Find("pdflatex");
        Skip.If(latex is null, "needs pdflatex on the PATH");
        using TempFolder folder = new();
        SweepUnit unit = Unit(new(Nasty, "score", [(Nasty, Nasty)], 1), Nasty, 0, 99, Nasty);
        MergeInput whole = Whole(2, "ioi", "sva", "greater-than");
        MergeInput input = Input([.. whole.Done, (unit, Result(unit, 0.5, Row("size", 0.5) with { Kl = 1e-7 }))]);
        (_, IReadOnlyList<SeedGrid> grids) = SweepMerge.Write(input, new MergeTargets { Latex = folder["table.tex"] });
        folder.Write("paper.tex", $$"""
            \documentclass{article}
            \usepackage{booktabs}
            \begin{document}
            {{SweepLatex.Escape(Nasty)}}
            \input{table.tex}
            \end{document}
            """);
        using Process run = Process.Start(new ProcessStartInfo(latex!, ["-interaction=nonstopmode", "-halt-on-error", "paper.tex"])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        run.BeginErrorReadLine();
        string said = run.StandardOutput.ReadToEnd();
        run.WaitForExit();
        Assert.True(run.ExitCode == 0, said);
        Assert.True(grids.Count > 12);
        Assert.True(File.Exists(folder["paper.pdf"]));
    }

    [Fact]
    public void The_same_results_in_any_order_give_the_same_bytes()
    {
        using TempFolder folder = new();
        MergeInput input = Whole(3, "ioi", "sva", "greater-than");
        input = input with
        {
            Failed = [new(Unit(Hap("0.9"), "greater-than", 0, 34), "b"), new(Unit(Hap("0.95"), "greater-than", 0, 35), "a")],
        };
        (SweepUnit, UnitResult)[] shuffled = [.. input.Done];
        new Random(3).Shuffle(shuffled);
        Assert.NotEqual(input.Done, shuffled);
        Directory.CreateDirectory(folder["1"]);
        Directory.CreateDirectory(folder["2"]);
        SweepMerge.Write(input, MergeTargets.In(folder["1"]));
        SweepMerge.Write(input with { Done = shuffled, Failed = [.. input.Failed.Reverse()] }, MergeTargets.In(folder["2"]));
        string[] names = [.. Directory.EnumerateFiles(folder["1"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
        Assert.Equal(["index.html", "table.csv", "table.md", "table.parquet", "table.tex"], names);
        foreach (string name in names)
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["1"], name)), File.ReadAllBytes(Path.Combine(folder["2"], name)));
    }

    [Fact]
    public void Only_what_is_wanted_is_written_and_a_bad_path_leaves_nothing()
    {
        using TempFolder folder = new();
        SweepMerge.Write(Whole(1, "ioi"), new MergeTargets { Csv = folder["only.csv"] });
        Assert.Equal([folder["only.csv"]], Directory.EnumerateFileSystemEntries(folder.Path));
        Assert.Throws<GradpathException>(() => SweepMerge.Write(Whole(1, "ioi"), new MergeTargets { Page = folder["none/page.html"] }));
    }

    [Fact]
    public void A_sweep_of_failures_alone_can_be_merged()
    {
        using TempFolder folder = new();
        MergeInput input = Input() with { Units = 3, Failed = [new(Unit(Eap, "ioi", 0, 0), "out of <memory>")] };
        SweepMerge.Write(input, MergeTargets.In(folder.Path));
        string page = File.ReadAllText(folder["index.html"]);
        Assert.Contains("0 of 3 units done, 1 failed, 2 open", page, StringComparison.Ordinal);
        Assert.Contains("out of &lt;memory&gt;", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_units_are_merged_in_seconds()
    {
        using TempFolder folder = new();
        MergeInput input = Whole(625, "ioi", "sva", "greater-than", "hypernymy");
        Assert.Equal(10_000, input.Units);
        input = input with { FilesOf = u => [new("circuit", $"units/{u.Key[..2]}/{u.Key}.json")] };
        Stopwatch watch = Stopwatch.StartNew();
        (SweepTable table, _) = SweepMerge.Write(input, MergeTargets.In(folder.Path));
        TimeSpan all = watch.Elapsed;
        output.WriteLine($"{table.Rows.Count} rows in {all.TotalSeconds:0.00} s");
        MergeTargets targets = MergeTargets.In(folder.Path);
        MergeTargets[] parts =
        [
            new() { Csv = targets.Csv }, new() { Parquet = targets.Parquet }, new() { Markdown = targets.Markdown },
            new() { Page = targets.Page },
        ];
        foreach (MergeTargets part in parts)
        {
            watch.Restart();
            SweepMerge.Write(input, part);
            string file = (part.Csv ?? part.Parquet ?? part.Markdown ?? part.Page)!;
            output.WriteLine($"{Path.GetFileName(file)}: {new FileInfo(file).Length} bytes, alone {watch.Elapsed.TotalSeconds:0.00} s");
        }
        Assert.True(all < TimeSpan.FromSeconds(60), $"{all}");
    }
}
