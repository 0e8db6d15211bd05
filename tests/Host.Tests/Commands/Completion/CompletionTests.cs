using System.Diagnostics;

namespace Gradpath.Host.Tests;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("gradpath sc", "score")]
    [InlineData("gradpath score --metho", "--method")]
    [InlineData("gradpath score --method eap-g", "eap-gp")]
    [InlineData("gradpath search --method ac", "acdc")]
    [InlineData("gradpath evaluate --task gr", "greater-than")]
    [InlineData("gradpath evaluate --metric pro", "prob-diff")]
    [InlineData("gradpath score --device cu", "cuda")]
    [InlineData("gradpath help edge", "edge-prune")]
    [InlineData("gradpath completion fi", "fish")]
    [InlineData("gradpath score --model de", "demo")]
    [InlineData("gradpath score --model /et", "/etc")]
    [InlineData("gradpath score --method = eap-g", "eap-gp")]
    [InlineData("gradpath benchmark --methods eap,acdc,ha", "eap,acdc,hap")]
    [InlineData("gradpath benchmark --ground-truth io", "ioi")]
    public void Bash_completes(string line, string completed)
    {
        using TempFolder folder = new();
        File.WriteAllText(folder["completion.bash"], Cli.Run("completion", "bash").Succeeds().Out);
        Assert.Equal("", Bash("-n", folder["completion.bash"]));
        string[] words = line.Split(' ');
        string call = $"source '{folder["completion.bash"]}'; COMP_WORDS=({line}); COMP_CWORD={words.Length - 1}; _gradpath; "
            + "printf '%s\\n' \"${COMPREPLY[@]}\"";
        Assert.Equal(completed, Bash("-c", call).TrimEnd());
    }

    [Fact]
    public void Every_verb_and_option_is_in_every_script()
    {
        foreach (string shell in new[] { "bash", "zsh", "fish" })
        {
            string script = Cli.Run("completion", "--shell", shell).Succeeds().Out;
            foreach (string verb in VerbTable.Names) Assert.Contains(verb, script, StringComparison.Ordinal);
            Assert.Contains("path-objective", script, StringComparison.Ordinal);
            Assert.Contains("probs-last", script, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Another_shell_is_refused() => Cli.Run("completion", "bsh").Fails(2, "--shell bsh", "did you mean bash?");

    private static string Bash(params string[] arguments)
    {
        using Process bash = Process.Start(new ProcessStartInfo("bash", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = bash.StandardOutput.ReadToEnd() + bash.StandardError.ReadToEnd();
        bash.WaitForExit();
        return output;
    }
}
