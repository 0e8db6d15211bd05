using System.Reflection;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>Reads the methods of a plan: names, or mappings of a name and options whose lists are expanded.</summary>
internal static partial class PlanMethods
{
    private const string NameKey = "name";
    private const string MembersKey = "of";

    // Whether the plan's own batch size serves is found out with the plan's other conditions.
    private const int AnyBatch = 1;

    // Where a plan says what a verb has an option for.
    private static readonly Dictionary<string, string> s_elsewhere = new(StringComparer.Ordinal)
    {
        ["ablation"] = "ablations",
        ["batch-size"] = "batch-size",
        ["data"] = "tasks",
        ["device"] = "device",
        ["gemm"] = "device",
        ["limit"] = "prompts",
        ["memory"] = "device",
        ["metric"] = "metrics",
        ["model"] = "models",
        ["precision"] = "device",
        ["seed"] = "seeds",
        ["task"] = "tasks",
        ["threads"] = "device",
        ["thresholds"] = "methods, as a list of tau",
    };

    // What a sweep does not leave open.
    private static readonly Dictionary<string, string> s_decided = new(StringComparer.Ordinal)
    {
        ["iterate"] = "a sweep always follows senders backwards; rounds says how far",
        ["receivers"] = "the circuits of a sweep end at the logits, the receivers that paths are followed from",
    };

    // What one method calls otherwise than another.
    private static readonly Dictionary<(string Verb, string Key), string> s_synonyms = new()
    {
        [("acdc", "threshold")] = "tau",
        [("path-patch", "tau")] = "threshold, in percent of the metric",
    };

    /// <summary>Reads all methods.</summary>
    /// <param name="value">The list, or a single method.</param>
    /// <returns>One per combination of the values that a method's options list.</returns>
    /// <exception cref="GradpathException">A method or an option is unknown or cannot be used, or two methods are the same.</exception>
    public static IReadOnlyList<SweepMethod> Read(PlanValue value)
    {
        List<SweepMethod> methods = [];
        Dictionary<string, int> lines = new(StringComparer.Ordinal);
        foreach (PlanValue item in value.List())
        {
            foreach (SweepMethod method in Expand(item, PlanKeys.MostMethods - methods.Count))
            {
                if (lines.TryGetValue(method.Label, out int line))
                {
                    string where = line == item.Line ? "" : $", here and in line {line}";
                    throw item.Fault($"{PlanValue.Shown(method.Label)} is there twice{where}");
                }
                lines[method.Label] = item.Line;
                methods.Add(method);
            }
        }
        return methods;
    }

    /// <summary>Does something with a method and says what it throws as the plan's fault.</summary>
    /// <param name="value">The method, or all of them.</param>
    /// <param name="method">The method.</param>
    /// <param name="action">What is done with it.</param>
    /// <param name="lineOf">The line of an option; null for that of the method.</param>
    /// <exception cref="GradpathException">The action has refused it.</exception>
    public static void Guard(PlanValue value, SweepMethod method, Action action, Func<string, int?>? lineOf = null)
    {
        string message;
        try
        {
            action();
            return;
        }
        catch (UsageException e)
        {
            message = e.Message;
        }
        catch (OptionException e)
        {
            message = e.Describe(OptionNames.Of);
        }
        string option = LeadingOption().Match(message).Groups[1].Value;
        throw value.Fault(lineOf?.Invoke(option) ?? method.Line, $"{method.Name}: {Plain(message)}");
    }

    /// <summary>A message about options as a plan has them: without dashes in front and a stop behind.</summary>
    /// <param name="message">The message.</param>
    public static string Plain(string message) => Dashes().Replace(message, "").TrimEnd('.');

    private static List<SweepMethod> Expand(PlanValue item, int most)
    {
        if (item.Node.Entries is null)
        {
            (string name, string verb) = Find(item);
            SweepMethod plain = new(name, verb, [], item.Line);
            Guard(item, plain, () => Check(plain));
            return [plain];
        }
        if (item.Node.Entries.FirstOrDefault(e => e.Key == NameKey) is not { } named)
            throw item.Fault($"{NameKey} is needed: the name of a method");
        (string canonical, string of) = Find(item.Below(NameKey, named.Value));
        (PropertyInfo Property, string Name)[] settings = [.. SweepMethodOptions.Settings(of)];
        PlanMap map = item.Map([NameKey, .. settings.Select(s => s.Name)],
            key => Unknown(canonical, of, key, settings, Members(item.Node)));
        List<(string Option, IReadOnlyList<string> Values)> options = [];
        long count = 1;
        foreach (PlanEntry entry in map.Entries.Where(e => e.Key != NameKey))
        {
            PropertyInfo property = settings.First(s => s.Name == entry.Key).Property;
            IReadOnlyList<string> values = Values(item.Below(canonical, item.Node).Below(entry.Key, entry.Value), property);
            options.Add((entry.Key, values));
            count *= values.Count;
            if (count > most) throw item.Fault($"{canonical}: the lists make more than {Sizes.Count(PlanKeys.MostMethods)} settings");
        }
        List<SweepMethod> methods = [new SweepMethod(canonical, of, [], map.LineOf(NameKey))];
        foreach ((string option, IReadOnlyList<string> values) in options)
            methods = [.. methods.SelectMany(m => values.Select(v => m with { Options = [.. m.Options, (option, v)] }))];
        foreach (SweepMethod method in methods)
            Guard(item, method, () => Check(method), option => map.Has(option) ? map.LineOf(option) : null);
        return methods;
    }

    private static (string Name, string Verb) Find(PlanValue value)
    {
        string name = value.Text("the name of a method");
        return SweepMethodOptions.Find(name) ?? throw value.Fault($"{PlanValue.Shown(name)}: {SweepMethodOptions.Unknown(name)}");
    }

    // Only what the method would take is named.
    private static string Unknown(
        string method, string verb, string key, (PropertyInfo Property, string Name)[] settings, IReadOnlyList<AttributionMethod> members)
    {
        if (s_synonyms.TryGetValue((verb, key), out string? right)) return $"{method} calls it {right}";
        if (SweepMethodOptions.Has(verb, key))
        {
            if (s_decided.TryGetValue(key, out string? decided)) return $"no option in a plan: {decided}";
            return s_elsewhere.TryGetValue(key, out string? place)
                ? $"no option of a method; a plan says it under {place}"
                : $"'gradpath {verb}' has it, and a sweep has no use for it";
        }
        string[] names = [.. settings.Select(s => s.Name).Where(n => SweepMethodOptions.Reads(method, members, n))];
        string[] others = [.. SweepMethodOptions.Takers(key)];
        string whose = others.Length == 0 ? "" : $"; {EnumNames.Choice(others)} {(others.Length == 1 ? "has" : "have")} it";
        return $"{TableNames.Unknown($"option of {method}", key, names)}{whose}";
    }

    private static IReadOnlyList<AttributionMethod> Members(PlanNode method) =>
    [
        .. (method.Entries!.FirstOrDefault(e => e.Key == MembersKey)?.Value.Items ?? [])
            .SelectMany(i => i.Items ?? [i])
            .Select(i => AttributionMethods.TryFind(i.Text ?? "", out AttributionMethod? member) ? member : null)
            .OfType<AttributionMethod>(),
    ];

    private static IReadOnlyList<string> Values(PlanValue value, PropertyInfo property)
    {
        // A list is the value of an option of names; a list of lists are several.
        if (OptionWords.ElementOf(property) is not null)
        {
            bool several = value.Node.Items?.Any(i => i.Items is not null) ?? false;
            return several ? value.Distinct(Members) : [Members(value)];
        }
        List<string> all = [];
        foreach (PlanValue item in value.List())
        {
            string text = item.Text("a value");
            if (property.PropertyType == typeof(bool) && (item.Node.IsQuoted || text is not ("true" or "false")))
                throw item.Fault($"{item.What()} is given; true or false is needed");
            text = SweepMethodOptions.Canonical(property, text);
            if (all.Any(a => NumericArguments.IsNumeric(property) ? a == text : TableNames.Same(a, text)))
                throw item.Fault($"{item.What()} is there twice");
            all.Add(text);
        }
        return all;
    }

    private static string Members(PlanValue value) => string.Join(',', value.Distinct(v => v.Text("a name")));

    private static void Check(SweepMethod method)
    {
        if (method.Verb == SweepMethodOptions.Score) SweepMethodOptions.Attribution(method, new() { BatchSize = AnyBatch });
        else
        {
            SweepMethodOptions.Search(method);
            SweepMethodOptions.Scorer(method);
        }
    }

    [GeneratedRegex("^--([a-z][a-z-]*)")]
    private static partial Regex LeadingOption();

    [GeneratedRegex("--(?=[a-z])")]
    private static partial Regex Dashes();
}
