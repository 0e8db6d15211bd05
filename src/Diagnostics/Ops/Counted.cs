namespace Gradpath.Diagnostics.Ops;

/// <summary>The shapes at which the emulator counts what kernels do: the widths of GPT-2 small with few rows.</summary>
internal static class Counted
{
    public const int Rows = 24;
    public const int Tall = 50;
    public const int Width = 768;
    public const int Heads = 12;
    public const int HeadWidth = 64;
    public const int Edges = 2000;
    public const int Gates = 40;
    public const int Items = 3;

    /// <summary>The kernels over the vocabulary read row after row; an odd width is GPT-2's, too.</summary>
    public const int Vocabulary = 5003;

    public const int Float = sizeof(float);
    public const int Double = sizeof(double);

    /// <summary>Bytes of a row of the residual stream.</summary>
    public const double RowBytes = Width * Float;

    /// <summary>Bytes of the logits of all items.</summary>
    public const double LogitBytes = (double)Items * Vocabulary * Float;

    /// <summary>Shapes in words.</summary>
    public const string RowsShape = "24 x 768", LogitsShape = "3 x 5003";
}
