namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// A token that stands for a piece of text as a whole: the text is looked for before words are split, so merging never sees it.
/// The flags are those of Hugging Face's tokenizers.
/// </summary>
/// <param name="Content">The text.</param>
internal sealed record AddedToken(string Content)
{
    /// <summary>Its id.</summary>
    public int Id { get; init; }

    /// <summary>Whether it only counts where no letter, digit or underscore is beside it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Whether it takes the white space on its left with it.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether it takes the white space on its right with it.</summary>
    public bool StripsRight { get; init; }

    /// <summary>
    /// Whether it is looked for in normalized text. No normalizer is supported, so what is left of this is the order: tokens with the
    /// flag are looked for in what those without it have left.
    /// </summary>
    public bool Normalized { get; init; }

    /// <summary>Whether it is a special token, which <c>split_special_tokens</c> turns back into ordinary text.</summary>
    public bool Special { get; init; }
}
