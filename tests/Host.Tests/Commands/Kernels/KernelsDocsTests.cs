using System.Text.RegularExpressions;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary>docs/kernels.md: its commands run, here on an emulated GPU, and what it names is there.</summary>
[Trait("About", "emulator")]
public sealed partial class KernelsDocsTests : IDisposable
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/kernels.md"));

    private readonly EmulatedDriver _driver = new(new EmulatorOptions { Races = false });
    private readonly TempFolder _folder = new();

    public KernelsDocsTests() => CudaDrivers.Replace(() => _driver, new KernelCache(_folder["cache"]));

    public void Dispose()
    {
        CudaDrivers.Replace(null);
        _driver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_command_works()
    {
        int run = 0;
        foreach (string command in ShellBlock().Matches(s_page).SelectMany(m => m.Groups[1].Value.Split('\n')).Where(l => l.Length > 0))
        {
            string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["mkdir", { } made])
            {
                Directory.CreateDirectory(_folder[made]);
                continue;
            }
            Assert.Equal("./gradpath", words[0]);
            string[] args = [.. words[1..].Select((w, i) => words[i] is "--out" or "--watch" ? _folder[w] : w)];
            run++;
            if (!args.Contains("--watch"))
            {
                Cli.Run([.. args, "--quiet"]).Succeeds();
                continue;
            }

            // It has no end of its own: it is stopped once it has begun.
            using CancellationTokenSource source = new();
            long before = Launches();
            Task<Cli> running = Task.Run(() => Cli.RunWith("", source.Token, [.. args, "--quiet"]));
            while (!running.IsCompleted && Launches() == before) await Task.Delay(20);
            Assert.False(running.IsCompleted);
            source.Cancel();
            (await running).Succeeds();
        }
        Assert.True(run >= 9, $"only {run} commands were found");

        long Launches() => _driver.Launches;
    }

    [Fact]
    public void The_targets_and_files_that_are_named_are_there()
    {
        string makefile = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "Makefile"));
        foreach (Match target in Target().Matches(s_page))
            Assert.Contains($"\n{target.Groups[1].Value}:", makefile, StringComparison.Ordinal);
        string[] stages = [.. Stage().Matches(s_page).Select(m => m.Groups[1].Value)];
        Assert.Equal(Diagnostics.SelfTest.SelfTestStages.All.Select(s => s.Name), stages);
        Assert.Contains(KernelCache.Variable, s_page, StringComparison.Ordinal);
        string[] paths = ["src/Kernels/Cuda/kernels", "src/Diagnostics/Ops/Families", "perf/KERNELS.md", "tests/Kernels.Tests"];
        foreach (string path in paths)
        {
            Assert.Contains(path, s_page, StringComparison.Ordinal);
            Assert.True(Path.Exists(Path.Combine(RepositoryFiles.Root, path)), path);
        }
    }

    [GeneratedRegex(@"```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex("`make ([a-z-]+)`")]
    private static partial Regex Target();

    [GeneratedRegex(@"^\| `([a-z0-9]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Stage();
}
