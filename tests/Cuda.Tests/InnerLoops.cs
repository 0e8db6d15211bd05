using System.Text.RegularExpressions;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests;

/// <summary>The innermost loops of products, as the shipped PTX has them.</summary>
internal static partial class InnerLoops
{
    /// <summary>The opcodes of a kernel's smallest loop that multiplies on tensor cores.</summary>
    /// <param name="file">The file without its extension.</param>
    /// <param name="kernel">The entry point.</param>
    public static string[] Of(string file, string kernel)
    {
        using Stream resource = typeof(CudaDevice).Assembly.GetManifestResourceStream($"{file}.ptx")!;
        string ptx = new StreamReader(resource).ReadToEnd();
        int start = ptx.IndexOf($".entry {kernel}(", StringComparison.Ordinal);
        int end = ptx.IndexOf(".entry ", start + 1, StringComparison.Ordinal);
        string[] lines = ptx[start..(end < 0 ? ptx.Length : end)].Split('\n');
        Dictionary<string, int> labels = [];
        string[]? least = null;
        for (int i = 0; i < lines.Length; i++)
        {
            if (Label().Match(lines[i]) is { Success: true } label) labels[label.Groups[1].Value] = i;
            Match branch = Branch().Match(lines[i]);
            if (!branch.Success || !labels.TryGetValue(branch.Groups[1].Value, out int first)) continue;
            string[] loop =
            [
                .. lines[first..(i + 1)].Select(l => Opcode().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value),
            ];
            bool multiplies = loop.Any(o =>
                o.StartsWith("mma.sync", StringComparison.Ordinal) || o.StartsWith("wgmma.mma_async", StringComparison.Ordinal));
            if (multiplies && (least is null || loop.Length < least.Length)) least = loop;
        }
        return least ?? throw new ArgumentException($"{kernel} of {file}.ptx has no loop with mma", nameof(kernel));
    }

    [GeneratedRegex(@"^(\$L\w+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"\bbra(?:\.uni)?\s+(\$L\w+)")]
    private static partial Regex Branch();

    [GeneratedRegex(@"^\s+(?:@!?%p\d+\s+)?([a-z][\w.:]*)\s")]
    private static partial Regex Opcode();
}
