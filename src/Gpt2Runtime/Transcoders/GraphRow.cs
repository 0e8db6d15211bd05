namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>A target's incoming edges.</summary>
/// <param name="Slot">The feature's slot, or -1 - i for logit i.</param>
/// <param name="Slots">The effects of the slots of lower layers.</param>
/// <param name="Tokens">The effects of the tokens.</param>
internal sealed record GraphRow(int Slot, float[] Slots, float[] Tokens)
{
    /// <summary>The effect of a source.</summary>
    /// <param name="source">A slot, or the number of slots plus a position.</param>
    /// <param name="slots">The number of slots.</param>
    public float this[int source, int slots] => source >= slots ? Tokens[source - slots] : source < Slots.Length ? Slots[source] : 0;
}
