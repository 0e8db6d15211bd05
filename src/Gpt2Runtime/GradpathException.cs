namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Something that came from outside cannot be used: a file, a model, a prompt. The message names it and the place in it, and says what
/// would be right; a program shows it as it is, without a stack trace. Wrong arguments are <see cref="ArgumentException"/>s.
/// </summary>
public class GradpathException : Exception
{
    private readonly Wording? _wording;

    /// <summary>An error with its explanation.</summary>
    /// <param name="message">Names the file, the row or the item and says what would be right.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public GradpathException(string message, Exception? inner = null)
        : base(message, inner)
    {
        ArgumentNullException.ThrowIfNull(message);
    }

    private GradpathException(Wording wording, Exception? inner)
        : base(wording.ToString(), inner)
    {
        _wording = wording;
    }

    /// <summary>An error whose explanation names properties of the library.</summary>
    /// <param name="message">The message, with <see cref="Term"/>s in the place of properties.</param>
    /// <param name="inner">What was caught, if anything.</param>
    /// <returns>The exception.</returns>
    public static GradpathException Worded(FormattableString message, Exception? inner = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new GradpathException(new Wording(message), inner);
    }

    /// <summary>The message in other words.</summary>
    /// <param name="nameOf">What to write for a term.</param>
    /// <returns>The message.</returns>
    public string Describe(Func<Term, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        return _wording?.With(nameOf) ?? Message;
    }
}
