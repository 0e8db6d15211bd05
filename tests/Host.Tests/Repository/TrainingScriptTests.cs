namespace Gradpath.Host.Tests;

/// <summary>weights-tools/train_*.py: what they say where there is no PyTorch.</summary>
public sealed class TrainingScriptTests
{
    [SkippableTheory]
    [InlineData("train_demo.py")]
    [InlineData("train_saturated.py")]
    public void Help_and_mistakes_need_no_torch(string script)
    {
        using TempFolder folder = new();
        ShellRun help = Run(folder, script, "--help"), mistake = Run(folder, script, "--bogus"), training = Run(folder, script);
        Assert.Equal((0, ""), (help.ExitCode, help.Error));
        Assert.Contains("--steps STEPS", help.Out, StringComparison.Ordinal);
        Assert.Equal(2, mistake.ExitCode);
        Assert.Contains("unrecognized arguments: --bogus", mistake.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (training.ExitCode, training.Out));
        string line = Assert.Single(training.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"{script} needs PyTorch for Python 3 (", line, StringComparison.Ordinal);
        Assert.Contains("pip install torch", line, StringComparison.Ordinal);
    }

    // A module of that name which cannot be imported stands before any that can.
    private static ShellRun Run(TempFolder folder, params string[] words)
    {
        folder.Write("torch.py", "raise ImportError('none here')\n");
        Dictionary<string, string?> environment = new() { ["PYTHONDONTWRITEBYTECODE"] = "1", ["PYTHONPATH"] = folder.Path };
        ShellRun.Require("python3");
        return ShellRun.Of(
            RepositoryFiles.Root, environment, "python3",
            [Path.Combine(RepositoryFiles.Root, "weights-tools", words[0]), .. words[1..]]);
    }
}
