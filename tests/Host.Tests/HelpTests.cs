namespace Gradpath.Host.Tests;

public sealed class HelpTests
{
    [Fact]
    public void The_list_of_commands_is_shown_on_request()
    {
        foreach (string verb in VerbTable.Names)
        {
            Cli.Run("--help").Succeeds($"  {verb} ");
            Cli.Run(verb, "--help").Succeeds("--help");
            Cli.Run("help", verb).Succeeds("--help");
        }
    }

    [Fact]
    public void Help_of_score_names_every_method() =>
        Cli.Run("score", "--help").Succeeds("eap-ig-activations", "clean-corrupted", "eap-gp", "information-flow-routes",
            "--path-objective", "gradpath score --model demo --out scores.json --task ioi");

    [Fact]
    public void The_version_is_shown()
    {
        Assert.StartsWith("gradpath ", Cli.Run("--version").Succeeds().Out, StringComparison.Ordinal);
        Assert.Single(Cli.Run("version").Succeeds().Out.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Help_and_version_have_short_names()
    {
        Assert.Equal(Cli.Run("--help").Out, Cli.Run("-h").Succeeds().Out);
        Assert.Equal(Cli.Run("--help").Out, Cli.Run("help").Succeeds().Out);
        Assert.Equal(Cli.Run("--version").Out, Cli.Run("-v").Succeeds().Out);
        foreach (string verb in VerbTable.Names)
        {
            Assert.Equal(Cli.Run(verb, "--help").Out, Cli.Run(verb, "-h").Succeeds().Out);
            Assert.StartsWith("gradpath ", Cli.Run(verb, "-v").Succeeds().Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_command_is_a_usage_error_that_shows_the_commands()
    {
        Cli run = Cli.Run();
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("  score ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Out);
    }

    [Fact]
    public void An_unknown_command_is_a_usage_error() =>
        Cli.Run("scor").Fails(2, "'scor': no such command; did you mean score?", "gradpath --help");
}
