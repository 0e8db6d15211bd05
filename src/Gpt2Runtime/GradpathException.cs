namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Bad input from outside: a file, a row or an option that cannot be used. The message names it and says what would be right;
/// a host shows it as it is, without a stack trace.
/// </summary>
public class GradpathException : Exception
{
    /// <summary>An error with its explanation.</summary>
    /// <param name="message">Names the file, row or option and says what would be right.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public GradpathException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
