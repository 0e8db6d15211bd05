using System.Globalization;

namespace Gradpath.Gpt2Runtime;

/// <summary>A message in which <see cref="Term"/>s stand, so that whoever shows it can put names of their own in.</summary>
/// <param name="text">The message; numbers in it are written in invariant English.</param>
internal sealed class Wording(FormattableString text)
{
    /// <summary>The message in the library's words.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => With(term => term.ToString());

    /// <summary>The message with other names.</summary>
    /// <param name="nameOf">What to write for a term.</param>
    /// <returns>The text.</returns>
    public string With(Func<Term, string> nameOf)
    {
        object?[] arguments = Array.ConvertAll(text.GetArguments(), argument => argument is Term term ? nameOf(term) : argument);
        return string.Format(CultureInfo.InvariantCulture, text.Format, arguments);
    }
}
