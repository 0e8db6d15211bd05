namespace Gradpath.PtxEmulator.Ptx;

/// <summary>A word, a number or a mark, with its line.</summary>
internal readonly record struct Token(string Text, int Line, bool IsString = false);

/// <summary>Cuts PTX into tokens. Opcodes, directives and names with dots are one token.</summary>
internal static class PtxLexer
{
    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>(text.Length / 5);
        int line = 1, at = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '\n') line++;
            if (char.IsWhiteSpace(c)) at++;
            else if (c == '/' && at + 1 < text.Length && text[at + 1] == '/')
            {
                while (at < text.Length && text[at] != '\n') at++;
            }
            else if (c == '/' && at + 1 < text.Length && text[at + 1] == '*')
            {
                int end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
                if (end < 0) throw new PtxException(line, "a comment is not closed");
                line += text.AsSpan(at, end - at).Count('\n');
                at = end + 2;
            }
            else if (c == '"')
            {
                int end = text.IndexOf('"', at + 1);
                if (end < 0) throw new PtxException(line, "a string is not closed");
                tokens.Add(new(text[(at + 1)..end], line, IsString: true));
                at = end + 1;
            }
            else if (IsWord(c))
            {
                int start = at;
                while (at < text.Length && (IsWord(text[at]) || DoubleColon(text, at)))
                {
                    at += text[at] == ':' ? 2 : 1;
                }
                tokens.Add(new(text[start..at], line));
            }
            else
            {
                tokens.Add(new(c.ToString(), line));
                at++;
            }
        }
        return tokens;
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    // The :: of modifiers such as .L2::128B, against the colon that ends a label.
    private static bool DoubleColon(string text, int at) => text[at] == ':' && at + 1 < text.Length && text[at + 1] == ':';
}
