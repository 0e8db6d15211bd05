namespace Gradpath.Gpt2Runtime;

/// <summary>
/// An option or argument cannot be used, alone or with the others. The message names the properties and says what would be right.
/// A program that has names of its own for them asks <see cref="Describe"/>.
/// </summary>
public sealed class OptionException : ArgumentException
{
    private readonly Wording _wording;

    /// <summary>An error with its explanation.</summary>
    /// <param name="message">Names what is wrong with <see cref="Term"/>s in the place of properties.</param>
    public OptionException(FormattableString message)
    {
        ArgumentNullException.ThrowIfNull(message);
        _wording = new Wording(message);
    }

    /// <summary>The message in the library's words.</summary>
    public override string Message => _wording.ToString();

    /// <summary>The message in other words.</summary>
    /// <param name="nameOf">What to write for a term.</param>
    /// <returns>The message.</returns>
    public string Describe(Func<Term, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(nameOf);
        return _wording.With(nameOf);
    }
}
