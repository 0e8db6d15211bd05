using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs;

/// <summary>Checks of option values that several verbs need.</summary>
internal static class OptionChecks
{
    /// <summary>A number that a file allows only so much of, where it is given.</summary>
    /// <param name="option">The option.</param>
    /// <param name="value">Its value.</param>
    /// <param name="most">The most that it may be.</param>
    /// <param name="because">What the file has.</param>
    /// <exception cref="UsageException">It is more.</exception>
    public static void AtMost(string option, int? value, int most, string because)
    {
        if (value > most) throw new UsageException($"--{option} {value}: must be at most {most}; {because}.");
    }

    /// <summary>Takes something from a file. Where the file does not have it, the message names the file.</summary>
    /// <exception cref="GradpathException">The file has less than an option asks for, or something that is of no use.</exception>
    public static T TakeFrom<T>(string file, Func<T> take)
    {
        try
        {
            return take();
        }
        catch (OptionException e)
        {
            throw new GradpathException($"{file}: {e.Describe(OptionNames.Of)}", e);
        }
        catch (GradpathException e) when (!e.Message.StartsWith(file, StringComparison.Ordinal))
        {
            throw new GradpathException($"{file}: {e.Describe(OptionNames.Of)}", e);
        }
    }
}
