using System.Diagnostics;

namespace Gradpath.Host.Tests;

/// <summary>One run of a shell script or a command: its exit code and what it wrote.</summary>
internal sealed record ShellRun(int ExitCode, string Out, string Error)
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="environment">Variables to set; null removes one.</param>
    public static ShellRun Of(string folder, IReadOnlyDictionary<string, string?> environment, string program, params string[] arguments)
    {
        using Process process = Start(folder, environment, program, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)), $"{program} hangs");
        return new ShellRun(process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Starts a program; the caller reads what it writes.</summary>
    public static Process Start(string folder, IReadOnlyDictionary<string, string?> environment, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true
        };

        // A proxy would answer in place of a server on this machine.
        foreach (string name in (string[])["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"])
            start.Environment.Remove(name);
        start.Environment["no_proxy"] = "127.0.0.1,localhost";
        foreach ((string name, string? value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Where a program lies on the PATH, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <summary>Skips the test where a program that the script needs is not installed.</summary>
    public static void Require(params string[] programs)
    {
        Skip.If(OperatingSystem.IsWindows(), "the scripts need a Unix shell");
        foreach (string program in programs) Skip.If(Find(program) is null, $"{program} is not installed");
    }
}
