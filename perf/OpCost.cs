namespace Gradpath.Perf;

/// <summary>What an op has cost so far.</summary>
internal sealed class OpCost
{
    /// <summary>How often it was called.</summary>
    public long Calls { get; set; }

    /// <summary>The time of all calls.</summary>
    public double Seconds { get; set; }

    /// <summary>The floating-point operations of all calls, where they are known.</summary>
    public double Flops { get; set; }
}
