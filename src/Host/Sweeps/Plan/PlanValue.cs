using System.Globalization;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>A value of a plan with the keys that lead to it. Whatever is wrong with it is said with its file, line and key.</summary>
/// <param name="file">The file, as messages have it.</param>
/// <param name="key">The keys that lead to it, such as <c>prompts: train</c>; empty for the whole plan.</param>
/// <param name="node">The value.</param>
internal sealed class PlanValue(string file, string key, PlanNode node)
{
    /// <summary>The value as the file has it.</summary>
    public PlanNode Node => node;

    /// <summary>The keys that lead to it.</summary>
    public string Key => key;

    /// <summary>Its line, from 1.</summary>
    public int Line => node.Line;

    /// <summary>The message that it cannot be used.</summary>
    /// <param name="what">What is wrong and what would be right.</param>
    public GradpathException Fault(string what) => Fault(node.Line, what);

    /// <summary>The same where a line in or above the value says more.</summary>
    /// <param name="line">The line, from 1.</param>
    /// <param name="what">What is wrong and what would be right.</param>
    public GradpathException Fault(int line, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{file}:{line}: {(key.Length == 0 ? "" : $"{key}: ")}{what}"));

    /// <summary>A value that lies in this one.</summary>
    /// <param name="name">What leads to it.</param>
    /// <param name="value">The value.</param>
    public PlanValue Below(string name, PlanNode value) => new(file, key.Length == 0 ? Shown(name) : $"{key}: {Shown(name)}", value);

    /// <summary>The items of a list that is not empty; a single value stands for a list of itself.</summary>
    /// <exception cref="GradpathException">The list is empty.</exception>
    public IReadOnlyList<PlanValue> List()
    {
        if (node.Items is null) return [this];
        if (node.Items.Count == 0) throw Fault("the list is empty; name one at least");
        return [.. node.Items.Select(i => new PlanValue(file, key, i))];
    }

    /// <summary>The items of a list as something that differs from item to item.</summary>
    /// <typeparam name="T">What an item is read as.</typeparam>
    /// <param name="read">Reads an item.</param>
    /// <exception cref="GradpathException">The list is empty, or an item is there twice.</exception>
    public IReadOnlyList<T> Distinct<T>(Func<PlanValue, T> read)
    {
        List<T> all = [];
        HashSet<T> seen = [];
        foreach (PlanValue item in List())
        {
            T value = read(item);
            if (!seen.Add(value)) throw item.Fault($"{Shown(item.Node.Text ?? $"{value}")} is there twice");
            all.Add(value);
        }
        return all;
    }

    /// <summary>The entries of a mapping.</summary>
    /// <param name="known">The keys that it may have.</param>
    /// <param name="unknown">What is said of another key; null for the list of those that there are.</param>
    /// <exception cref="GradpathException">It is no mapping, or has another key.</exception>
    public PlanMap Map(IReadOnlyList<string> known, Func<string, string?>? unknown = null)
    {
        if (node.Entries is null) throw Fault($"{What()} is given; a mapping with the keys {string.Join(", ", known)} is needed");
        foreach (PlanEntry entry in node.Entries.Where(e => !known.Contains(e.Key)))
        {
            string what = unknown?.Invoke(entry.Key) ?? TableNames.Unknown("key", entry.Key, [.. known]);
            throw Below(entry.Key, entry.Value).Fault(entry.Line, what);
        }
        return new PlanMap(this);
    }

    /// <summary>A text.</summary>
    /// <param name="needed">What would be right, such as <c>the name of a task</c>.</param>
    /// <exception cref="GradpathException">It is none, or empty.</exception>
    public string Text(string needed)
    {
        if (node.Text is null || node.IsNothing || string.IsNullOrWhiteSpace(node.Text))
            throw Fault($"{What()} is given; {needed} is needed");
        return node.Text;
    }

    /// <summary>A whole number.</summary>
    /// <param name="range">The numbers that it may be.</param>
    /// <param name="advice">What would be right: the end of a sentence.</param>
    /// <exception cref="GradpathException">It is none of these.</exception>
    public int Integer(RangeAttribute range, string advice = "numbers have no separators")
    {
        string text = Text($"a whole number {range}");
        if (node.IsQuoted || !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            throw Fault($"{What()} is not a whole number; {advice}");
        return range.Has(value) ? (int)value : throw Fault($"{text}: must be {range}");
    }

    /// <summary>A number.</summary>
    /// <param name="range">The numbers that it may be.</param>
    /// <exception cref="GradpathException">It is none of these.</exception>
    public double Number(RangeAttribute range)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        string text = Text($"a number {range}");
        if (node.IsQuoted || !text.Any(char.IsAsciiDigit) || !double.TryParse(text, Style, CultureInfo.InvariantCulture, out double value))
            throw Fault($"{What()} is not a number; numbers have '.' as the decimal point and no other separators");
        return range.Has(value) ? value : throw Fault($"{text}: must be {range}");
    }

    /// <summary>The value as a message begins with it.</summary>
    public string What() =>
        node.Items is not null ? "a list" : node.Entries is not null ? "a mapping" : node.IsNothing ? "nothing"
        : node.IsQuoted ? Quoted.Text(node.Text) : Shown(node.Text!);

    /// <summary>A text as messages have it: cut off where it is longer than a line.</summary>
    /// <param name="text">The text, of one line.</param>
    public static string Shown(string text) => Quoted.Name(text)[1..^1];
}
