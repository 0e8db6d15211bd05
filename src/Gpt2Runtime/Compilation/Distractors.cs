using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Heads and hidden units of a compiled model that no operation uses. They read everything with random weights and write noise into
/// coordinates that they alone read, and a little into every categorical variable: their edges have activations, and effects on the
/// logits, that are small and never decide the answer.
/// </summary>
/// <param name="wiring">The model.</param>
/// <param name="config">Its shape.</param>
/// <param name="variables">The program's variables.</param>
/// <param name="noise">The first coordinate of noise.</param>
/// <param name="options">Seed and strength.</param>
internal sealed class Distractors(Wiring wiring, Gpt2Config config, IReadOnlyList<Variable> variables, int noise, DistractorOptions options)
{
    /// <summary>Number of coordinates of noise.</summary>
    public const int Coordinates = 8;

    /// <summary>Hidden units of each MLP that make noise.</summary>
    public const int Units = 12;

    /// <summary>Columns of each head that make noise.</summary>
    public const int Columns = 8;

    /// <summary>Largest weight with which noise is written to its own coordinates.</summary>
    public const double Loud = 0.1;

    private readonly SplitMix64 _random = new(~options.Seed);

    /// <summary>Makes a distractor of a head.</summary>
    /// <param name="layer">Its layer.</param>
    /// <param name="head">The head.</param>
    public void AddHead(int layer, int head)
    {
        for (int c = 0; c < Columns; c++)
        {
            for (int part = 0; part < 3; part++)
            {
                for (int from = 0; from < noise + Coordinates; from++) wiring.Read(layer, head, part, c, from, Draw());
            }
            foreach ((int to, double most) in Targets()) wiring.Write(layer, head, c, to, most * Draw());
        }
    }

    /// <summary>Adds hidden units that make noise to an MLP.</summary>
    /// <param name="layer">Its layer.</param>
    /// <param name="first">The first unit.</param>
    public void AddUnits(int layer, int first)
    {
        for (int unit = first; unit < config.InnerWidth; unit++)
        {
            for (int from = 0; from < noise + Coordinates; from++) wiring.ReadUnit(layer, unit, from, Draw());
            foreach ((int to, double most) in Targets()) wiring.WriteUnit(layer, unit, to, most * Draw());
        }
    }

    private IEnumerable<(int Coordinate, double Most)> Targets()
    {
        foreach (Variable variable in variables.Where(v => v.IsCategorical))
        {
            for (int i = 0; i < variable.Size; i++) yield return (variable.Start + i, options.Leak);
        }
        for (int i = 0; i < Coordinates; i++) yield return (noise + i, Loud);
    }

    private double Draw() => (2.0 * _random.NextUniform()) - 1;
}
