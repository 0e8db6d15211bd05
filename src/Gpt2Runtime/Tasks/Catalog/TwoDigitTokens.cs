using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>The tokens "00" to "99" (no leading space) that greater-than is judged by.</summary>
internal sealed class TwoDigitTokens
{
    private readonly int[] _ids = new int[100];

    /// <summary>Looks the tokens up.</summary>
    /// <param name="task">The task, for messages.</param>
    /// <param name="tokenizer">The vocabulary in use.</param>
    /// <exception cref="GradpathException">The vocabulary lacks one of the hundred.</exception>
    public TwoDigitTokens(string task, BpeTokenizer tokenizer)
    {
        for (var number = 0; number < 100; number++)
        {
            _ids[number] = tokenizer.TokenId($"{number:00}")
                ?? throw new GradpathException(
                    $"Task {task}: the vocabulary has no token \"{number:00}\"; the task needs all from \"00\" to \"99\".");
        }
    }

    /// <summary>Id of a number's token.</summary>
    public int this[int number] => _ids[number];

    /// <summary>The right answers to a year: the numbers after it.</summary>
    public int[] After(int year) => _ids[(year + 1)..];

    /// <summary>The wrong answers to a year: the numbers up to and including it.</summary>
    public int[] UpTo(int year) => _ids[..(year + 1)];
}
