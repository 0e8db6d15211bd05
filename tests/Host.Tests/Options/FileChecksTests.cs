using System.Reflection;
using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Tests;

/// <summary>Files on a command line: every option says whether it is read or written, and no output takes another file's place.</summary>
public sealed class FileChecksTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string[] s_files = ["FILE", "DIR", "PATH", "MODEL", "CIRCUIT", "PLAN"];

    public static TheoryData<string> Verbs => [.. VerbTable.Names];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_option_for_a_file_says_whether_it_is_read_or_written(string verb)
    {
        foreach (PropertyInfo property in VerbTable.All.Single(v => v.Name == verb).Options.GetProperties())
        {
            if (property.GetCustomAttribute<OptionAttribute>() is not { } option) continue;
            bool isFile = s_files.Any(f => (option.MetaValue ?? "").StartsWith(f, StringComparison.Ordinal));
            bool input = property.GetCustomAttribute<InputAttribute>() is not null;
            bool output = property.GetCustomAttribute<OutputAttribute>() is not null;
            Assert.True(isFile == (input || output), $"{verb} --{option.LongName} needs [Input] or [Output], as its MetaValue is a file");
            Assert.False(input && output);
        }
    }

    [Fact]
    public void An_output_takes_no_input_and_no_other_output_however_it_is_written()
    {
        string scores = model.Scores(), name = Path.GetFileName(scores);
        File.WriteAllText(model.Path("truth.json"), File.ReadAllText(scores));
        Directory.CreateSymbolicLink(model.Path("here"), model.Folder);
        File.CreateSymbolicLink(model.Path("link.json"), name);
        foreach (string path in (string[])
            [scores, $"{model.Folder}/./{name}", $"{model.Folder}/here/{name}", model.Path("link.json"), $"{model.Folder}/here/../{name}"])
        {
            Cli.Run("circuit", "--scores", scores, "--top-n", "5", "--out", path).Fails(
                2, $"--out {path} would replace what --scores {scores} reads; name another file.");
        }
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, scores);
        Cli.Run("circuit", "--scores", relative, "--top-n", "5", "--out", scores).Fails(2, "would replace what");
        Assert.Equal(File.ReadAllText(model.Path("truth.json")), File.ReadAllText(scores));
    }

    [Theory]
    [InlineData("acdc --out {0}/a.json --log {0}/a.csv --table {0}/./a.csv", "are one file; name two")]
    [InlineData("acdc --thresholds 0.02,0.1 --out {0}/s.json --order score --scores {0}/s-0.02.json", "would replace what --scores")]
    [InlineData("acdc --out {0}/a.json --ground-truth {0}/a.json.progress", "a.json.progress would replace")]
    [InlineData("edge-prune --out {0}/pairs.jsonl", "unknown extension '.jsonl'")]
    [InlineData("path-patch --effects {0}/a.csv --picture {0}/a.csv", "the file must end in .svg or .html")]
    [InlineData("path-patch --out {0}/model/config.json", "would replace what --model")]
    [InlineData("score --out {0}/model/model.safetensors", "would replace what --model")]
    [InlineData("evaluate --circuit {0}/c.json --out {0}/c.json", "would replace what --circuit")]
    [InlineData("curve --scores {0}/c.json,{0}/d.json --out {0}/e.csv --picture {0}/e.csv", "the file must end in .svg")]
    [InlineData("benchmark --out {0}/b --ground-truth {0}/b/circuits/eap-0.9.json", "would replace what --ground-truth")]
    [InlineData("acdc --out -", "kept beside this on the way; name a file")]
    [InlineData("score --out - --record-path /dev/stdout", "are one file; name two")]
    [InlineData("score --out - --json", "--out - and --json would both write to standard output")]
    public void A_collision_is_refused_before_the_run(string line, string message)
    {
        foreach (string name in (string[])["s-0.02.json", "c.json", "d.json", "a.json.progress", "b/circuits/eap-0.9.json"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(model.Path(name))!);
            if (!File.Exists(model.Path(name))) File.WriteAllText(model.Path(name), "{}");
        }
        string[] words = [.. line.Split(' ').Select(w => w.Replace("{0}", model.Folder, StringComparison.Ordinal))];
        Cli.Run([words[0], "--model", model.ModelDirectory, "--data", model.Pairs, .. words[1..]]).Fails(2, message);
    }

    [Fact]
    public void What_cannot_be_written_is_refused_before_the_run()
    {
        Directory.CreateDirectory(model.Path("folder.json"));
        File.CreateSymbolicLink(model.Path("dangling.json"), "nowhere.json");
        string[] line = ["score", "--model", "no-such-model", "--data", model.Pairs, "--out"];
        Cli.Run([.. line, model.Path("folder.json")]).Fails(2, "--out: cannot write", "it is a directory");
        Cli.Run([.. line, model.Path("dangling.json")]).Fails(2, "it is a link to", "nowhere.json");
        Cli.Run([.. line, model.Path("none/a.json")]).Fails(2, "does not exist; create it first");
        Cli.Run([.. line, ""]).Fails(2, "--out needs a value");
    }
}
