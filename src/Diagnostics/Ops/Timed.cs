namespace Gradpath.Diagnostics.Ops;

/// <summary>
/// The shapes at which ops are timed: those that GPT-2 small gives them in a batch of 10 pairs of 16 tokens, which has 160 rows, or 800
/// with five points of a path.
/// </summary>
internal static class Timed
{
    public const int Pairs = 10;
    public const int Tokens = 16;
    public const int Points = 5;
    public const int Rows = Pairs * Tokens;
    public const int AllRows = Points * Rows;
    public const int Width = 768;
    public const int Inner = 3072;
    public const int Heads = 12;
    public const int HeadWidth = 64;
    public const int Readers = 3 * Heads;
    public const int Writers = 144;
    public const int Edges = 32_491;
    public const int Vocabulary = 50_257;

    /// <summary>Bytes of a float32.</summary>
    public const double Float = sizeof(float);

    /// <summary>Elements of all rows of a path's points.</summary>
    public const double AllElements = (double)AllRows * Width;

    /// <summary>Elements of the logits of all pairs.</summary>
    public const double Logits = (double)Pairs * Vocabulary;

    /// <summary>The shape of all rows in words.</summary>
    public static string AllRowsShape { get; } = $"{AllRows} x {Width}";

    /// <summary>The shape of the logits in words.</summary>
    public static string LogitsShape { get; } = $"{Pairs} x {Vocabulary}";
}
