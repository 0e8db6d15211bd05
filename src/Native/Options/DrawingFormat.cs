namespace Gradpath.Native.Options;

/// <summary>What a circuit is drawn as.</summary>
internal enum DrawingFormat
{
    /// <summary>A picture for papers.</summary>
    Svg,

    /// <summary>Graphviz's language.</summary>
    Dot,

    /// <summary>A page in which the circuit can be explored.</summary>
    Html,
}
