namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>The token that a prompt begins with, before its text: for GPT-2 itself <c>&lt;|endoftext|&gt;</c>, id 50256.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text.</param>
public sealed record BeginToken(int Id, string Text)
{
    /// <summary>The token as messages and result files show it, for example <c>"&lt;|endoftext|&gt;" (50256)</c>.</summary>
    /// <returns>Text and id.</returns>
    public override string ToString() => $"{Quoted.Text(Text)} ({Id})";
}
