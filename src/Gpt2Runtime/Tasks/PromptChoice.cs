using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Which pairs of a source are taken, in this order: those behind the first <see cref="PromptOptions.Skip"/>; of them a drawn sample; of
/// that the first <see cref="PromptOptions.Limit"/>; of these a half. The order of the source stays.
/// </summary>
/// <param name="options">What is asked for.</param>
internal sealed class PromptChoice(PromptOptions options)
{
    private int _halved;

    /// <summary>What was chosen, in the words that stand behind a source's name; nothing where all was taken.</summary>
    public string Words =>
        (options.Skip > 0 ? string.Create(CultureInfo.InvariantCulture, $", without the first {options.Skip}") : "")
        + (options.Sample is { } sample
            ? string.Create(CultureInfo.InvariantCulture, $", {sample} drawn with seed {options.Seed}")
            : "")
        + (options.Split is { } split
            ? string.Create(CultureInfo.InvariantCulture, $", {CanonicalNames.Of(split)} half of {_halved} pairs")
            : "");

    /// <summary>Refuses numbers that no source has.</summary>
    /// <param name="options">What is asked for.</param>
    /// <exception cref="GradpathException">A number is out of range.</exception>
    public static void Check(PromptOptions options)
    {
        if (options.Limit < 1) throw GradpathException.Worded($"{Terms.Limit.With(options.Limit)}: must be at least 1.");
        if (options.Skip < 0) throw GradpathException.Worded($"{Terms.Skip.With(options.Skip)}: must be at least 0.");
        if (options.Sample < 1) throw GradpathException.Worded($"{Terms.Sample.With(options.Sample)}: must be at least 1.");
    }

    /// <summary>The rows that are taken. Rows behind the last of these are not read, but where a sample is drawn.</summary>
    /// <param name="source">What they are from, for messages.</param>
    /// <param name="rows">All rows.</param>
    /// <exception cref="GradpathException">There are too few.</exception>
    public IEnumerable<T> Of<T>(string source, IEnumerable<T> rows)
    {
        if (options.Skip > 0) rows = Behind(source, rows);
        if (options.Sample is { } sample) rows = Drawn(source, [.. rows], sample);
        if (options.Limit is { } limit) rows = rows.Take(limit);
        return options.Split is { } split ? Half(source, [.. rows], split) : rows;
    }

    private IEnumerable<T> Behind<T>(string source, IEnumerable<T> rows)
    {
        int seen = 0;
        foreach (T row in rows)
        {
            if (seen++ >= options.Skip) yield return row;
        }
        if (seen <= options.Skip)
            throw GradpathException.Worded($"{source}: {Terms.Skip.With(options.Skip)} leaves none of its {seen} prompt pairs.");
    }

    private List<T> Drawn<T>(string source, T[] rows, int count)
    {
        if (count > rows.Length)
            throw GradpathException.Worded($"{source}: {Terms.Sample.With(count)}: there are {rows.Length} prompt pairs to draw from.");
        SplitMix64 random = new(options.Seed);
        int[] places = [.. Enumerable.Range(0, rows.Length)];
        for (int i = 0; i < count; i++)
        {
            int other = i + random.Below(rows.Length - i);
            (places[i], places[other]) = (places[other], places[i]);
        }
        return [.. places.Take(count).Order().Select(i => rows[i])];
    }

    private T[] Half<T>(string source, T[] rows, PromptSplit split)
    {
        if (rows.Length < 2)
        {
            string held = rows.Length == 0 ? "no prompt pairs" : "one prompt pair";
            throw GradpathException.Worded($"{source}: there is {held}, and {Terms.Split} needs one for each half.");
        }
        _halved = rows.Length;
        return split == PromptSplit.Train ? rows[..(rows.Length / 2)] : rows[(rows.Length / 2)..];
    }
}
