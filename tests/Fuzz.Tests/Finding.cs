namespace Gradpath.Fuzz.Tests;

/// <summary>An input that a reader did not take as it should.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Seed">The seed of the run.</param>
/// <param name="Index">The input's number.</param>
/// <param name="What">What happened.</param>
/// <param name="Input">The input.</param>
internal sealed record Finding(string Reader, ulong Seed, long Index, string What, byte[] Input)
{
    /// <summary>How to make it again.</summary>
    public override string ToString() => $"{Reader}: tests/fuzz --reader {Reader} --seed {Seed} --first {Index} --inputs 1: {What}";
}
