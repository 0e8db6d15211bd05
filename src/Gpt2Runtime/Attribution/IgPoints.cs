namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Where <see cref="AttributionMethods.EapIg"/> and <see cref="AttributionMethods.Ceap"/> take gradients: shares of the clean embedding,
/// with m steps. For CEAP that is the corrupted side, the clean side or the middle of each of its m segments.
/// </summary>
public enum IgPoints
{
    /// <summary><c>left</c>: 0 .. m-1 over m, as the EAP-IG library does today.</summary>
    Left,

    /// <summary><c>right</c>: 1 .. m over m, as the paper does.</summary>
    Right,

    /// <summary><c>midpoint</c>: (i + 1/2) over m.</summary>
    Midpoint,
}
