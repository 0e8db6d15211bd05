using System.Text.RegularExpressions;

namespace Gradpath.Diagnostics.KernelRuns;

/// <summary>
/// How many 32-bit registers the values of a kernel need at its widest point, from the PTX: a bound that a compiler which keeps the order
/// can meet. Parameters and the numbers of thread and block count nothing, since they can be read again at any time; predicates have
/// registers of their own.
/// </summary>
internal static partial class LiveRegisters
{
    /// <summary>
    /// Entry points of a PTX text with their threads (0 without launch bounds), the blocks that their launch bounds promise, and the
    /// registers.
    /// </summary>
    public static IEnumerable<(string Name, int Threads, int Blocks, int Registers)> Of(string ptx)
    {
        foreach (Match entry in Entry().Matches(ptx))
        {
            string head = entry.Groups["head"].Value;
            int threads = int.Parse(Bound("maxntid", head) ?? "0"), blocks = int.Parse(Bound("minnctapersm", head) ?? "1");
            yield return (entry.Groups["name"].Value, threads, blocks, Most(entry.Groups["body"].Value));
        }
    }

    /// <summary>
    /// The most registers that launch bounds leave a thread: 65,536 of a multiprocessor, given to warps eight by eight; at most 255.
    /// </summary>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="blocks">Blocks that a multiprocessor holds at once.</param>
    public static int Allowed(int threads, int blocks) => Math.Min(255, 65_536 / (threads * blocks) / 8 * 8);

    private static string? Bound(string directive, string head) =>
        Regex.Match(head, $@"\.{directive}\s+(\d+)") is { Success: true } match ? match.Groups[1].Value : null;

    private static int Most(string body)
    {
        (List<string> instructions, Dictionary<string, int> labels) = Split(body);
        int count = instructions.Count;
        HashSet<string>[] written = new HashSet<string>[count], read = new HashSet<string>[count];
        int[] jump = new int[count];
        bool[] falls = new bool[count];
        HashSet<string> free = [];
        for (int i = 0; i < count; i++)
        {
            string text = instructions[i], predicate = "";
            if (text[0] == '@')
            {
                int space = text.IndexOf(' ');
                (predicate, text) = (text[1..space].TrimStart('!'), text[(space + 1)..].TrimStart());
            }
            int cut = text.IndexOfAny([' ', '\t']);
            (string operation, string operands) = cut < 0 ? (text, "") : (text[..cut], text[(cut + 1)..].TrimStart());
            falls[i] = (operation != "bra.uni" && operation != "bra" && operation != "ret") || predicate.Length > 0;
            jump[i] = operation.StartsWith("bra", StringComparison.Ordinal) ? labels[operands.Split(',')[^1].Trim()] : -1;
            int comma = operands.IndexOf(',');
            int first = operands.StartsWith('{') ? operands.IndexOf('}') : comma < 0 ? operands.Length : comma;
            int results = StoresOnly(operation) ? 0 : first;
            written[i] = [.. Register().Matches(operands[..results]).Select(m => m.Value)];
            read[i] = [.. Register().Matches(operands[results..]).Select(m => m.Value)];
            // A warpgroup's product adds to its results, unless the factor on them is 0.
            if (operation.StartsWith("wgmma.mma", StringComparison.Ordinal) && !StartsSums().IsMatch(operands))
                read[i].UnionWith(written[i]);
            bool again = operation.StartsWith("ld.param", StringComparison.Ordinal)
                || (operation.StartsWith("cvta.to.global", StringComparison.Ordinal) && read[i].IsSubsetOf(free))
                || (operation.StartsWith("mov", StringComparison.Ordinal) && Place().IsMatch(operands));
            if (again) free.UnionWith(written[i]);
            if (predicate.Length == 0) continue;
            read[i].Add(predicate);
            read[i].UnionWith(written[i]);
        }
        Dictionary<string, int> numbers = [];
        ulong[][] reads = new ulong[count][], keeps = new ulong[count][], live = new ulong[count + 1][];
        foreach (string register in written.Concat(read).SelectMany(r => r).Except(free)) numbers.TryAdd(register, numbers.Count);
        int words = (numbers.Count + 63) / 64;
        for (int i = 0; i < count; i++)
        {
            (reads[i], keeps[i]) = (Bits(read[i]), Bits(written[i]));
            for (int w = 0; w < words; w++) keeps[i][w] = ~keeps[i][w];
        }
        for (int i = 0; i <= count; i++) live[i] = new ulong[words];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = count - 1; i >= 0; i--)
            {
                ulong[]? next = falls[i] ? live[i + 1] : null, target = jump[i] >= 0 ? live[jump[i]] : null;
                for (int w = 0; w < words; w++)
                {
                    ulong now = reads[i][w] | (((next?[w] ?? 0) | (target?[w] ?? 0)) & keeps[i][w]);
                    changed |= now != live[i][w];
                    live[i][w] = now;
                }
            }
        }
        int[] sizes = new int[words * 64];
        foreach ((string register, int number) in numbers) sizes[number] = Words(register);
        return live.Max(set =>
        {
            int sum = 0;
            for (int n = 0; n < sizes.Length; n++) sum += (set[n / 64] >> (n % 64) & 1) != 0 ? sizes[n] : 0;
            return sum;
        });

        ulong[] Bits(HashSet<string> registers)
        {
            ulong[] bits = new ulong[words];
            foreach (string register in registers)
            {
                if (numbers.TryGetValue(register, out int n)) bits[n / 64] |= 1UL << (n % 64);
            }
            return bits;
        }
    }

    private static bool StoresOnly(string operation) =>
        operation.StartsWith("st.", StringComparison.Ordinal) || operation.StartsWith("cp.async", StringComparison.Ordinal)
            || operation.StartsWith("bar", StringComparison.Ordinal) || operation.StartsWith("mbarrier", StringComparison.Ordinal);

    private static int Words(string register) => register[1] switch
    {
        'p' => 0,
        _ => register.StartsWith("%rd", StringComparison.Ordinal) || register.StartsWith("%fd", StringComparison.Ordinal) ? 2 : 1,
    };

    private static (List<string> Instructions, Dictionary<string, int> Labels) Split(string body)
    {
        List<string> instructions = [];
        Dictionary<string, int> labels = [];
        foreach (string raw in body.Split('\n'))
        {
            string line = raw.Split("//")[0].Trim().TrimEnd(';');
            if (line.Length == 0 || line[0] is '.' or '{' or '}' or ')') continue;
            if (line.EndsWith(':')) labels.Add(line[..^1], instructions.Count);
            else instructions.Add(line);
        }
        return (instructions, labels);
    }

    [GeneratedRegex(@"\.entry (?<name>\w+)\((?<head>[^{]*)\{(?<body>.*?)\n\}", RegexOptions.Singleline)]
    private static partial Regex Entry();

    [GeneratedRegex(@"%(?:rd|fd|rs|r|f|p|h|b)\d+")]
    private static partial Regex Register();

    [GeneratedRegex(@"%rd\d+, 0, ")]
    private static partial Regex StartsSums();

    [GeneratedRegex(@"%n?(?:tid|ctaid)\.")]
    private static partial Regex Place();
}
