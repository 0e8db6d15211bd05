using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Gradpath.Perf;

/// <summary>
/// What PyTorch needs for W1 and W3 (peers/eap_ig_torch.py) on this machine, batch 10, 20 pairs of 16 tokens, random weights.
/// </summary>
/// <param name="Program">The Python that ran it.</param>
/// <param name="Title">PyTorch's version, where it ran and on how many threads.</param>
/// <param name="UpperBound">Whether this PyTorch has no vendor BLAS, so that ratios against it are upper bounds of those against one that
/// has.</param>
/// <param name="Seconds">Seconds by work.</param>
/// <param name="PeakBytes">Most memory: of the process on the CPU, of the device on a GPU.</param>
internal sealed record Peer(string Program, string Title, bool UpperBound, IReadOnlyDictionary<string, double> Seconds, long PeakBytes)
{
    /// <summary>The works that it has.</summary>
    public static IReadOnlyList<string> Works { get; } = ["W1", "W3"];

    /// <summary>The first Python that can import torch.</summary>
    /// <param name="programs">Programs to try.</param>
    /// <returns>It, or null.</returns>
    public static string? Find(IEnumerable<string> programs) =>
        programs.FirstOrDefault(p => Run(p, ["-c", "import torch"], out _, quiet: true) == 0);

    /// <summary>Runs it.</summary>
    /// <param name="python">A Python that has torch.</param>
    /// <param name="shape">The model's shape.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda</c>.</param>
    /// <param name="threads">Threads on the CPU, null for PyTorch's choice.</param>
    /// <param name="obstacle">Why there is no result.</param>
    /// <returns>Its times, or null.</returns>
    public static Peer? Measure(string python, string shape, string device, int? threads, out string? obstacle)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "eap_ig_torch.py");
        List<string> arguments = [script, "time", "--shape", shape, "--device", device];
        if (threads is { } n) arguments.AddRange(["--threads", n.ToString(CultureInfo.InvariantCulture)]);
        int code = Run(python, arguments, out string output, quiet: false);
        obstacle = code switch
        {
            0 => null,
            < 0 => $"{python} could not be started: {output}; --python names another one",
            _ => $"{python} {script} ended with exit code {code}; it needs a Python that has torch (--python names another one)",
        };
        if (obstacle is not null) return null;
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement result = document.RootElement;
        string where = result.GetProperty("device").GetString()!;
        string title = $"PyTorch {result.GetProperty("torch").GetString()}, "
            + $"{(device == "cpu" ? $"cpu, {result.GetProperty("threads").GetInt32()} threads" : where)}";
        return new Peer(
            python, title, !result.GetProperty("vendor_blas").GetBoolean(),
            Works.ToDictionary(w => w, w => result.GetProperty(w).GetDouble()), result.GetProperty("peak_bytes").GetInt64());
    }

    // The exit code, or -1 and the reason where the program does not start.
    private static int Run(string program, IEnumerable<string> arguments, out string output, bool quiet)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = quiet
            })!;
            if (quiet) process.ErrorDataReceived += (_, _) => { };
            if (quiet) process.BeginErrorReadLine();
            output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (Win32Exception e)
        {
            output = e.Message;
            return -1;
        }
    }
}
