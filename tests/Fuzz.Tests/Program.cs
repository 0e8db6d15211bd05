using System.Diagnostics;
using System.Globalization;

namespace Gradpath.Fuzz.Tests;

/// <summary>The harness as a program, see <c>tests/fuzz --help</c>.</summary>
internal static class Program
{
    private const string Usage = """
        usage: tests/fuzz [--minutes M | --inputs N] [--reader NAME] [--seed S] [--first I] [--out DIR] [--list]

        Reads damaged files and reports what goes wrong, see docs/file-formats.md.
        --minutes M    time in all, shared by the readers (default: 1)
        --inputs N     inputs per reader instead
        --reader NAME  one reader, or several with commas (default: all)
        --seed S       the same seed gives the same inputs (default: 1)
        --first I      number of the first input (default: 0); with --inputs 1 a finding is made again
        --out DIR      where inputs of findings go (default: out/fuzz)
        --list         names the readers
        """;

    public static int Main(string[] args)
    {
        Dictionary<string, string> options = [];
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "-h" or "--help":
                    Console.WriteLine(Usage);
                    return 0;
                case "--list":
                    foreach (FuzzReader reader in FuzzReaders.All) Console.WriteLine(reader.Name);
                    return 0;
                case "--minutes" or "--inputs" or "--reader" or "--seed" or "--first" or "--out" when i + 1 < args.Length:
                    options[args[i]] = args[++i];
                    break;
                default:
                    Console.Error.WriteLine($"tests/fuzz: unknown or incomplete option {args[i]}\n{Usage}");
                    return 2;
            }
        }
        try
        {
            return Run(options);
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"tests/fuzz: {e.Message}");
            return 2;
        }
    }

    private static int Run(Dictionary<string, string> options)
    {
        string Option(string name, string otherwise) => options.GetValueOrDefault(name, otherwise);
        string[] names = Option("--reader", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        FuzzReader[] readers = [.. FuzzReaders.All.Where(r => names.Length == 0 || names.Contains(r.Name))];
        if (readers.Length < Math.Max(1, names.Length)) throw new FormatException("no such reader; --list names them");
        ulong seed = ulong.Parse(Option("--seed", "1"), CultureInfo.InvariantCulture);
        long first = long.Parse(Option("--first", "0"), CultureInfo.InvariantCulture);
        long inputs = options.TryGetValue("--inputs", out string? count) ? long.Parse(count, CultureInfo.InvariantCulture) : long.MaxValue;
        double minutes = inputs == long.MaxValue ? double.Parse(Option("--minutes", "1"), CultureInfo.InvariantCulture) : double.MaxValue;
        string folder = Option("--out", "out/fuzz");
        int found = 0;
        Console.WriteLine($"{"reader",-24}{"inputs",10}{"accepted",10}{"findings",10}{"seconds",9}  seed {seed}");
        foreach (FuzzReader reader in readers)
        {
            long started = Stopwatch.GetTimestamp();
            double seconds = minutes * 60 / readers.Length;
            int findings = 0;
            using Fuzzer fuzzer = new(reader, seed);
            fuzzer.ReadSamples();
            long index = first;
            for (; index - first < inputs && Stopwatch.GetElapsedTime(started).TotalSeconds < seconds; index++)
            {
                if (fuzzer.Run(index) is not { } finding) continue;
                findings++;
                if (findings > 5) continue;
                Directory.CreateDirectory(folder);
                File.WriteAllBytes(Path.Combine(folder, $"{reader.Name}-{seed}-{index}-{reader.File}"), finding.Input);
                Console.Error.WriteLine(finding);
            }
            double took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{reader.Name,-24}{index - first,10}{fuzzer.Accepted,10}{findings,10}{took,9:F1}"));
            found += findings;
        }
        return found == 0 ? 0 : 1;
    }
}
