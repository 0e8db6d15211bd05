using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary>
/// perf/gpu-check with an emulator as the GPU, with a program that answers at once, and with stand-ins for NVIDIA's tools.
/// </summary>
public sealed class GpuCheckTests : IDisposable
{
    private const string SmiLine = "NVIDIA H200, 570.00, 1980 MHz, 1980 MHz, 3201 MHz, 120.00 W, 700.00 W, 35";

    // What nvidia-smi, ptxas and compute-sanitizer say; this ptxas is too old for sm_120.
    private static readonly Dictionary<string, string> s_tools = new()
    {
        ["nvidia-smi"] = $"echo '{SmiLine}'\n",
        ["ptxas"] = """
            for word; do case $word in -arch=*) arch=${word#-arch=} ;; *.ptx) file=$word ;; esac; done
            [ "$arch" != sm_120 ] || { echo "ptxas fatal   : Value 'sm_120' is not defined for option 'gpu-name'" >&2; exit 1; }
            for kernel in $(sed -n 's/^.*\.entry \([A-Za-z0-9]*\).*/\1/p' "$file"); do
              echo "ptxas info    : Compiling entry function '$kernel' for '$arch'"
              echo "ptxas info    : Function properties for $kernel"
              echo "    8 bytes stack frame, $([ "$kernel" = fill ] && echo 16 || echo 0) bytes spill stores, 0 bytes spill loads"
              echo "ptxas info    : Used 96 registers, used 0 barriers"
            done >&2

            """,
        ["compute-sanitizer"] = """
            case "$*" in
              *racecheck*) echo '========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)'; exit 9 ;;
            esac
            echo '========= ERROR SUMMARY: 0 errors'

            """,
    };

    // A program on a GPU that computes nothing and answers at once.
    private const string Quick = """
        out=/dev/null shape=
        for word; do [ "$last" != --out ] || out=$word; [ "$last" != --stages ] || shape=$word; last=$word; done
        case $1 in
          --version) echo "gradpath 0.3.0" ;;
          kernels) printf '{\n  "version": "0.3.0+abc",\n  "facts": {\n    "device": "NVIDIA H200 (compute capability 9.0)"\n  }\n}\n' ;;
          selftest) [ "$shape" != "$HANG" ] || sleep 60; echo "$shape: 3 checks, ok, 0.01 s" ;;
          bench) printf '{\n  "machine": {\n    "emulated": false\n  },\n' >"$out"
            printf '  "measurements": [\n    {\n      "name": "W1",\n      "seconds": %s,\n    }\n  ]\n}\n' \
            "$SECONDS_OF_W1" >>"$out"; echo '  W1   EAP-IG, 5 points, small   3.00 ms   |' ;;
        esac

        """;

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string?> _environment = [];

    public GpuCheckTests()
    {
        // No tool of the machine's own but what every system has.
        Directory.CreateDirectory(_folder["tools"]);
        _environment["PATH"] = $"{_folder["tools"]}:/usr/bin:/bin";
        _environment["HANG"] = "none";
        _environment["SECONDS_OF_W1"] = "0.003";
        Directory.CreateDirectory(_folder["perf"]);
        foreach (string script in (string[])["gpu-check", "gpu-record"])
            File.Copy(Path.Combine(RepositoryFiles.Root, "perf", script), _folder[$"perf/{script}"]);
        _folder.Write("perf/RESULTS.md", "# Results\n\nWords.\n\n## 2026-01-02, older\n\nold\n");
        foreach (string script in (string[])["gpu-check", "gpu-record"]) Executable($"perf/{script}");
    }

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    [Trait("About", "emulator")]
    public void An_emulated_GPU_is_checked_and_never_recorded()
    {
        ShellRun.Require("bash", "timeout");
        Tools("nvidia-smi", "ptxas", "compute-sanitizer");

        // The self-test's stages are as short as they get.
        Program("gradpath", """
            case "$*" in
              *"--stages modules"*) set -- "$@" --only Rows ;;
              *"--stages ops"*) set -- "$@" --only Fill --cases 1 ;;
            esac

            """ + EmulatedProcess.Script(emulated: true));
        Cli.Run("selftest", "--write-scores", _folder["gpt2-scores.safetensors"], "--shape", "tiny").Succeeds();
        ShellRun run = Check(
            "gradpath", "--out", "found", "--parts", "selftest-modules,selftest-ops,selftest-gpt2,ptxas,sanitizer,before,torch");
        Assert.True(run.ExitCode == 1, run.Out + run.Error);
        Assert.Contains("no figure of this run is a GPU's", run.Out, StringComparison.Ordinal);
        Assert.Equal(
        [
            "selftest-modules ok", "selftest-ops ok", "selftest-gpt2 ok", "before left out", "sanitizer-memcheck ok",
            "sanitizer-racecheck FAILED", "ptxas ok", "torch left out",
        ], Parts("found").Select(p => $"{p["part"]} {p["status"]}"));
        JsonObject gpt2 = Parts("found").Single(p => (string?)p["part"] == "selftest-gpt2");
        Assert.StartsWith("gpt2: 3 checks, ok, ", (string?)gpt2["note"], StringComparison.Ordinal);
        Assert.Contains("scores of the CPU: ", File.ReadAllText(_folder["found/selftest-gpt2.txt"]), StringComparison.Ordinal);
        JsonNode machine = JsonNode.Parse(File.ReadAllText(_folder["found/machine.json"]))!;
        Assert.True((bool?)machine["emulated"]);
        Assert.Equal(("Emulated GPU", SmiLine), ((string?)machine["gpu"], (string?)machine["smi"]));

        // Registers as the table has them, and where it has others.
        JsonNode registers = JsonNode.Parse(File.ReadAllText(_folder["found/registers.json"]))!;
        Assert.Equal("[80,86,89,90,100,120]", registers["targets"]!.ToJsonString());
        Assert.Equal("[96,96,96,96,96,null]", registers["registers"]!["gemmFfma32x128"]!.ToJsonString());
        Assert.Equal("[96,null,null,96,96,null]", registers["registers"]!["fill"]!.ToJsonString());
        Assert.Equal(16, (int?)registers["spilt_bytes"]!["fill sm_90"]);
        string differ = File.ReadAllText(_folder["found/registers-differ.txt"]);
        Assert.Contains("gemmBf16Nn32x128 sm_90: 96 registers, the table says 126", differ, StringComparison.Ordinal);
        Assert.DoesNotContain("gemmFfma32x128", differ, StringComparison.Ordinal);

        ShellRun record = Check("--record", _folder["found"]);
        Assert.Equal((1, ""), (record.ExitCode, record.Out));
        Assert.Contains("it was made on an emulator", record.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_machine_without_a_GPU_gets_one_line()
    {
        ShellRun.Require("bash", "timeout");
        Skip.If(Gradpath.Kernels.Cuda.CudaDevice.Availability().IsUsable, "there is a GPU");
        Program("gradpath", EmulatedProcess.Script(emulated: false));
        ShellRun run = Check("gradpath", "--out", "none");
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("gpu-check: no GPU can be used: --device cuda: ", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(_folder["none"]));
    }

    [SkippableFact]
    public void Two_bundles_take_turns_and_the_results_are_recorded_once()
    {
        ShellRun.Require("bash", "timeout");
        Tools("nvidia-smi");
        Program("gradpath", Quick);
        Program("older", "SECONDS_OF_W1=0.0045\n" + Quick);
        ShellRun run = Check("gradpath", "--before", "older", "--out", "found", "--parts", "selftest,bench,before,after,ptxas");
        Assert.True(run.ExitCode == 0, run.Out + run.Error);
        Assert.Equal(
            ["before-1", "after-1", "before-2", "after-2"], Parts("found").Select(p => (string)p["part"]!).Where(p => p[^2] == '-'));
        Assert.Contains("W1: before 4.500 ms, after 3.000 ms, 1.50 times as fast", run.Out, StringComparison.Ordinal);

        Assert.Equal((0, ""), Ends(Check("--record", "found")));
        string results = File.ReadAllText(_folder["perf/RESULTS.md"]);
        Assert.True(results.IndexOf("Words.", StringComparison.Ordinal) < results.IndexOf(", NVIDIA H200\n", StringComparison.Ordinal));
        Assert.True(
            results.IndexOf("### Before and after", StringComparison.Ordinal) < results.IndexOf("## 2026-01-02", StringComparison.Ordinal));
        string[] facts =
        [
            SmiLine, "Version 0.3.0+abc", "| selftest-gpt2 | ok | ", "| ptxas | left out | 0 | ptxas is not installed |",
            "1.50 times as fast", "\nold\n",
        ];
        foreach (string fact in facts) Assert.Contains(fact, results, StringComparison.Ordinal);
        ShellRun again = Check("--record", "found");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("is in RESULTS.md already", again.Error, StringComparison.Ordinal);
        Assert.Equal(results, File.ReadAllText(_folder["perf/RESULTS.md"]));
    }

    [SkippableFact]
    public void What_the_budget_does_not_hold_is_left_out_with_a_line()
    {
        ShellRun.Require("bash", "timeout");
        _environment["HANG"] = "plans";
        Program("gradpath", Quick);
        ShellRun run = Check("gradpath", "--budget", "8", "--out", "found", "--parts", "selftest-ops,selftest-plans,selftest-gpt2");
        Assert.True(run.ExitCode == 0, run.Out + run.Error);
        Assert.Equal(
            ["selftest-ops ok", "selftest-plans cut off", "selftest-gpt2 left out"],
            Parts("found").Select(p => $"{p["part"]} {p["status"]}"));
        Assert.Equal("no time is left of 8 s", (string?)Parts("found").Last()["note"]);
        Assert.Contains("| selftest-gpt2 | left out | 0 | no time is left of 8 s |", run.Out, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("--budget 0", "--budget 0: a number of seconds is needed")]
    [InlineData("--fast", "--fast: there is no such option")]
    [InlineData("missing", "missing is no program")]
    [InlineData("--out", "--out needs a value")]
    [InlineData("--record nowhere", "--record nowhere: there are no results of gpu-check")]
    public void A_wrong_command_line_is_refused(string options, string mention)
    {
        ShellRun.Require("bash", "timeout");
        ShellRun run = Check(options.Split(' '));
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.StartsWith($"gpu-check: {mention}", run.Error, StringComparison.Ordinal);
    }

    private static (int, string) Ends(ShellRun run) => (run.ExitCode, run.Error);

    private ShellRun Check(params string[] arguments) => ShellRun.Of(_folder.Path, _environment, _folder["perf/gpu-check"], arguments);

    private IEnumerable<JsonObject> Parts(string folder) =>
        File.ReadLines(_folder[$"{folder}/parts.jsonl"]).Select(line => JsonNode.Parse(line)!.AsObject());

    private void Tools(params string[] names)
    {
        foreach (string name in names) Program($"tools/{name}", s_tools[name]);
    }

    private void Program(string name, string script)
    {
        _folder.Write(name, $"#!/usr/bin/env bash\n{script}");
        Executable(name);
    }

    private void Executable(string name)
    {
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(_folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
