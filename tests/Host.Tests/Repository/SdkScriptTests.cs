using System.Diagnostics;

namespace Gradpath.Host.Tests;

/// <summary>
/// tools/sdk in a copy of the repository's tools, on a PATH of the test's own, with a server and an install script of its own: when it
/// fetches an SDK, what it says, what it leaves, and that make and the launcher then use it.
/// </summary>
public sealed class SdkScriptTests : IDisposable
{
    // Everything that the scripts call; bash and env start them.
    private static readonly string[] s_programs =
        ["bash", "cat", "chmod", "curl", "cut", "dirname", "env", "head", "make", "mkdir", "mv", "paste", "readlink", "rm", "sed", "sh",
            "sleep", "touch", "tr"];

    // Stands for the official script: it leaves a dotnet that says which version it is.
    private const string Installer = """
        #!/usr/bin/env bash
        while [ $# -gt 0 ]; do
          case $1 in
            --version) version=$2; shift ;;
            --install-dir) folder=$2; shift ;;
          esac
          shift
        done
        BEFORE
        mkdir -p "$folder"
        cat >"$folder/dotnet" <<END
        #!/bin/sh
        case \$1 in
          --version) EXIT echo $version ;;
          --list-sdks) echo "$version [/somewhere]" ;;
          *) echo "dotnet $version: \$*" ;;
        esac
        END
        chmod +x "$folder/dotnet"
        AFTER
        # The end.
        """;

    private readonly TempFolder _folder = new();
    private readonly InstallScriptServer _server = new() { Script = Install() };
    private readonly string _root, _programs;

    public SdkScriptTests()
    {
        _root = Directory.CreateDirectory(_folder["clone"]).FullName;
        _programs = Directory.CreateDirectory(_folder["programs"]).FullName;
        if (OperatingSystem.IsWindows()) return;
        foreach (string file in (string[])["global.json", "Makefile", "tools/sdk", "tools/launcher"])
        {
            string target = Path.Combine(_root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(RepositoryFiles.Root, file), target);
        }
        File.WriteAllText(Path.Combine(_root, "global.json"), """{ "sdk": { "version": "10.0.100", "rollForward": "latestFeature" } }""");
        foreach (string program in s_programs)
        {
            if (ShellRun.Find(program) is { } path) File.CreateSymbolicLink(Path.Combine(_programs, program), path);
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [SkippableFact]
    public void Without_an_sdk_one_is_announced_in_one_line_fetched_and_used_from_then_on()
    {
        ShellRun first = Run("tools/sdk", "dotnet", "build", "a b");
        Assert.Equal((0, "dotnet 10.0.100: build a b\n"), (first.ExitCode, first.Out));
        string announced = first.Error.Split('\n')[0];
        Assert.All((string[])["no .NET SDK 10.0.100 or later 10.0 one", _server.Url, "230 MB", Own], part =>
            Assert.Contains(part, announced, StringComparison.Ordinal));
        Assert.Equal(["GET /dotnet-install.sh"], _server.Requests);

        _server.Dispose();
        ShellRun second = Run("tools/sdk", "dotnet", "test");
        Assert.Equal((0, "dotnet 10.0.100: test\n", ""), (second.ExitCode, second.Out, second.Error));
        Assert.Equal([".dotnet", "Makefile", "global.json", "tools"], Left());
    }

    [SkippableFact]
    public void Make_and_the_launcher_use_the_fetched_sdk()
    {
        ShellRun demo = Run("make", "demo");
        Assert.True(demo.ExitCode == 0, demo.Error);
        Assert.StartsWith("dotnet 10.0.100: msbuild Engine.sln -restore -p:Configuration=Release", demo.Out, StringComparison.Ordinal);
        Assert.EndsWith("/src/Host/bin/Release/net10.0/gradpath.dll demo\n", demo.Out, StringComparison.Ordinal);
        ShellRun program = Run(Path.Combine(_root, "gradpath"), "score", "--task", "greater than");
        Assert.Equal((0, $"dotnet 10.0.100: {_root}/src/Host/bin/Release/net10.0/gradpath.dll score --task greater than\n"),
            (program.ExitCode, program.Out));
        Assert.Single(_server.Requests);
    }

    [SkippableFact]
    public void The_launcher_without_any_dotnet_says_what_to_do()
    {
        Assert.Equal(0, Run("make", "build").ExitCode);
        Directory.Delete(Own, recursive: true);
        ShellRun program = Run(Path.Combine(_root, "gradpath"), "--help");
        Assert.Equal(1, program.ExitCode);
        Assert.Contains("make build", program.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void An_installed_sdk_that_global_json_accepts_is_used_and_nothing_fetched()
    {
        Installed("10.0.205");
        ShellRun run = Run("tools/sdk", "dotnet", "build");
        Assert.Equal((0, "dotnet 10.0.205: build\n", ""), (run.ExitCode, run.Out, run.Error));
        Assert.Empty(_server.Requests);
    }

    [SkippableFact]
    public void An_installed_sdk_that_is_too_old_is_named_and_not_used()
    {
        Installed("8.0.404", "exit 145;");
        ShellRun run = Run("tools/sdk", "dotnet", "build");
        Assert.Equal((0, "dotnet 10.0.100: build\n"), (run.ExitCode, run.Out));
        Assert.Contains("(dotnet on the PATH has 8.0.404)", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_fetched_sdk_that_global_json_no_longer_accepts_goes()
    {
        Assert.Equal(0, Run("tools/sdk").ExitCode);
        File.WriteAllText(Path.Combine(Own, "dotnet"), "#!/bin/sh\nexit 145\n");
        Assert.Equal("dotnet 10.0.100: build\n", Run("tools/sdk", "dotnet", "build").Out);
        File.WriteAllText(Path.Combine(Own, "dotnet"), "#!/bin/sh\nexit 145\n");
        Installed("10.0.300");
        ShellRun run = Run("tools/sdk", "dotnet", "build");
        Assert.Equal("dotnet 10.0.300: build\n", run.Out);
        Assert.Contains($"{Own} is not the SDK that global.json asks for", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Own));
    }

    [SkippableFact]
    public void A_download_that_is_forbidden_does_not_happen_and_what_to_do_is_said()
    {
        ShellRun run = RunWith(new() { ["GRADPATH_NO_DOWNLOAD"] = "1" }, "make", "demo");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("GRADPATH_NO_DOWNLOAD=1 forbids", run.Error, StringComparison.Ordinal);
        Assert.Contains("https://dotnet.microsoft.com/download/dotnet/10.0", run.Error, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
        Assert.Equal(["Makefile", "global.json", "tools"], Left());
    }

    [SkippableTheory]
    [InlineData("missing", "could not be fetched")]
    [InlineData("cut", "could not be fetched")]
    [InlineData("off", "could not be fetched; where there is no network, install the .NET SDK 10.0.100 or later by hand")]
    [InlineData("a page", "is no shell script")]
    [InlineData("half a script", "what the install script left does not run")]
    [InlineData("exit 1", "the install script did not succeed")]
    [InlineData("exit 1 in the end", "the install script did not succeed")]
    [InlineData("nothing installed", "what the install script left does not run")]
    [InlineData("a broken dotnet", "what the install script left does not run: libstdc++.so.6: no such file")]
    public void A_fetch_that_fails_says_why_and_leaves_nothing_behind(string fault, string message)
    {
        _server.Missing = fault == "missing";
        _server.Cuts = fault == "cut";
        _server.Script = fault switch
        {
            "a page" => "<html>Please sign in</html>",
            "half a script" => Install()[..^(Install().Length / 3)],
            "exit 1" => Install(before: "exit 1"),
            "exit 1 in the end" => Install(after: "exit 1"),
            "nothing installed" => Install(before: "exit 0"),
            "a broken dotnet" => Install(exit: "echo 'libstdc++.so.6: no such file' >&2; exit 1;"),
            _ => Install(),
        };
        if (fault == "off") _server.Dispose();
        ShellRun run = Run("tools/sdk", "dotnet", "build");
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains("https://dotnet.microsoft.com/download/dotnet/10.0", run.Error, StringComparison.Ordinal);
        Assert.Equal(["Makefile", "global.json", "tools"], Left());
        if (fault == "off") return;

        (_server.Missing, _server.Cuts, _server.Script) = (false, false, Install());
        Assert.Equal("dotnet 10.0.100: build\n", Run("tools/sdk", "dotnet", "build").Out);
    }

    [SkippableTheory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public void A_fetch_that_is_stopped_is_not_mistaken_for_an_sdk(string signal)
    {
        // It is stopped when the SDK is whole and the script is not yet done.
        _server.Script = Install(after: "touch \"$folder/../../started\"; sleep 2");
        string started = Path.Combine(_root, "started");
        using (Process process = ShellRun.Start(_root, Settings([]), "bash", "tools/sdk", "dotnet", "build"))
        {
            while (!File.Exists(started) && !process.HasExited) Thread.Sleep(20);
            Assert.Equal(0, ShellRun.Of(_root, Settings([]), "bash", "-c", $"kill -{signal} {process.Id}").ExitCode);
            process.WaitForExit();
            Assert.NotEqual(0, process.ExitCode);
        }
        File.Delete(started);
        Assert.False(Directory.Exists(Own));
        if (signal == "TERM") Assert.Equal(["Makefile", "global.json", "tools"], Left());

        _server.Script = Install();
        Assert.Equal("dotnet 10.0.100: build\n", Run("tools/sdk", "dotnet", "build").Out);
        Assert.Equal([".dotnet", "Makefile", "global.json", "tools"], Left());
    }

    [SkippableFact]
    public async Task Two_fetches_at_once_leave_one_sdk()
    {
        _server.Script = Install(before: "sleep 1");
        ShellRun[] runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => Run("tools/sdk", "dotnet", "build"))));
        Assert.All(runs, run => Assert.Equal("dotnet 10.0.100: build\n", run.Out));
        Assert.Equal([".dotnet", "Makefile", "global.json", "tools"], Left());
        Assert.Equal(["dotnet"], Directory.GetFileSystemEntries(Own).Select(Path.GetFileName));
    }

    private string Own => Path.Combine(_root, ".dotnet");

    private static string Install(string before = ":", string exit = "", string after = ":") =>
        Installer.Replace("BEFORE", before, StringComparison.Ordinal).Replace("EXIT", exit, StringComparison.Ordinal).Replace(
            "AFTER", after, StringComparison.Ordinal);

    // A dotnet on the PATH, made by the same script.
    private void Installed(string version, string exit = "")
    {
        ShellRun.Require(s_programs);
        File.WriteAllText(_folder["install"], Install(exit: exit));
        Assert.Equal(
            0, ShellRun.Of(_root, Settings([]), "bash", _folder["install"], "--version", version, "--install-dir", _programs).ExitCode);
    }

    private string[] Left() => [.. Directory.GetFileSystemEntries(_root).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private Dictionary<string, string?> Settings(Dictionary<string, string?> more) => new(more)
    {
        ["PATH"] = _programs,
        ["GRADPATH_SDK_SCRIPT"] = _server.Url + "/dotnet-install.sh",
        ["DOTNET_ROOT"] = null,
        ["MAKEFLAGS"] = null,
        ["MAKELEVEL"] = null,
    };

    private ShellRun Run(string program, params string[] arguments) => RunWith([], program, arguments);

    private ShellRun RunWith(Dictionary<string, string?> environment, string program, params string[] arguments)
    {
        ShellRun.Require(s_programs);
        return ShellRun.Of(_root, Settings(environment),
            Path.Combine(program.Contains('/', StringComparison.Ordinal) ? _root : _programs, program), arguments);
    }
}
