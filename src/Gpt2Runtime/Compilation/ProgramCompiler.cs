using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Compiles a program of RASP's kind to a model of GPT-2's architecture. A program has variables; heads select positions and move variables
/// between them, MLPs compute variables of variables, the logits read one. Each variable has coordinates of the residual stream of its own.
/// Heads and hidden units that no operation uses become <see cref="Distractors"/>.
/// </summary>
/// <remarks>
/// The circuit follows from the operations: an edge is true where its reader reads a variable that its writer writes and whose value
/// depends on the prompt's tokens.
/// </remarks>
internal sealed class ProgramCompiler
{
    /// <summary>Heads per layer.</summary>
    public const int Heads = 4;

    /// <summary>Difference of scores between what a head selects and what it does not: e^-20 of the weight is left for the rest.</summary>
    public const double Sharp = 20;

    /// <summary>Logit of a token whose value is 1.</summary>
    public const double LogitScale = 6;

    private readonly List<Variable> _variables = [];
    private readonly List<(Variable Variable, int Column, HeadRole Role)> _reads = [];
    private readonly HashSet<int> _backups = [];
    private readonly List<Action<Wiring>> _steps = [];
    private readonly int[][] _order;
    private readonly int[] _headsUsed, _unitsUsed;
    private readonly DistractorOptions _distractors;
    private readonly int _layers, _positions, _vocabulary;
    private readonly ComputationGraph _graph;
    private int _coordinates, _headWidth = 8;

    /// <summary>Begins a program.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="positions">Longest prompt.</param>
    /// <param name="vocabulary">Number of tokens; token 0 begins every prompt.</param>
    /// <param name="distractors">Decides which heads of a layer work and what the others do.</param>
    public ProgramCompiler(int layers, int positions, int vocabulary, DistractorOptions distractors)
    {
        (_layers, _positions, _vocabulary, _distractors) = (layers, positions, vocabulary, distractors);
        _graph = new ComputationGraph(layers, Heads);
        _headsUsed = new int[layers];
        _unitsUsed = new int[layers];
        SplitMix64 random = new(distractors.Seed);
        _order = new int[layers][];
        for (int l = 0; l < layers; l++)
        {
            _order[l] = [.. Enumerable.Range(0, Heads)];
            random.Shuffle<int>(_order[l]);
        }
        Tokens = Declare("tokens", vocabulary);
        Positions = Declare("positions", positions);
        First = Declare("first position", 1);
        First.WrittenBy(ComputationGraph.InputRow, informed: false);
        Tokens.WrittenBy(ComputationGraph.InputRow, informed: true);
        Positions.WrittenBy(ComputationGraph.InputRow, informed: false);
        _steps.Add(w =>
        {
            for (int t = 0; t < vocabulary; t++) w.Embed(t, Tokens.Start + t, 1);
            for (int p = 0; p < positions; p++) w.Place(p, Positions.Start + p, 1);
            w.Place(0, First.Start, 1);
        });
    }

    /// <summary>The token at each position.</summary>
    public Variable Tokens { get; }

    /// <summary>The number of each position, from 0.</summary>
    public Variable Positions { get; }

    /// <summary>1 at the begin token and 0 elsewhere. Distractors leave numbers alone, so that the begin token's score is exact.</summary>
    public Variable First { get; }

    /// <summary>A new variable.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="size">Number of values; 1 for a number.</param>
    public Variable Declare(string name, int size)
    {
        Variable variable = new(name, _coordinates, size);
        _coordinates += size;
        _variables.Add(variable);
        return variable;
    }

    /// <summary>Adds a head.</summary>
    /// <param name="layer">Its layer.</param>
    /// <param name="scores">Where it looks.</param>
    /// <param name="copies">What it moves.</param>
    /// <param name="role">What part it plays.</param>
    public void Attend(int layer, HeadScores scores, IReadOnlyList<HeadCopy> copies, HeadRole role = HeadRole.Main)
    {
        int head = _order[layer][_headsUsed[layer]++];
        int row = _graph.HeadRow(layer, head);
        if (role == HeadRole.Backup) _backups.Add(row);
        void Reads(Variable variable, HeadInput input) => _reads.Add((variable, _graph.HeadColumn(layer, input, head), role));
        foreach ((Variable query, Variable key, _) in scores.Matches)
        {
            Reads(query, HeadInput.Query);
            Reads(key, HeadInput.Key);
        }
        if (scores.Fixed is { } fixedScore) Reads(fixedScore.Key, HeadInput.Key);
        if (scores.BeginWhere is { } where) Reads(where.Query, HeadInput.Query);
        foreach (HeadCopy copy in copies) Reads(copy.From, HeadInput.Value);
        bool looksByTokens = scores.Matches.Any(m => m.Query.IsInformed || m.Key.IsInformed)
            || scores.Fixed is { Key.IsInformed: true } || scores.BeginWhere is { Query.IsInformed: true };
        foreach (HeadCopy copy in copies) copy.To.WrittenBy(row, looksByTokens || copy.From.IsInformed);
        _headWidth = Math.Max(_headWidth, Math.Max(scores.Matches.Sum(m => m.Key.Size) + 2, copies.Sum(c => c.From.Size)));
        _steps.Add(w => Wire(w, layer, head, scores, copies));
    }

    /// <summary>Adds hidden units to a layer's MLP.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="units">The units.</param>
    /// <param name="always">What the MLP writes besides, whatever it reads.</param>
    public void Compute(int layer, IReadOnlyList<HiddenUnit> units, params (Variable Variable, int Value, double Weight)[] always)
    {
        int row = _graph.MlpRow(layer), first = _unitsUsed[layer];
        _unitsUsed[layer] += units.Count;
        foreach (HiddenUnit unit in units)
        {
            foreach ((Variable variable, _, _) in unit.Reads) _reads.Add((variable, _graph.MlpColumn(layer), HeadRole.Main));
            foreach ((Variable variable, _, _) in unit.Writes) variable.WrittenBy(row, unit.Reads.Any(r => r.Variable.IsInformed));
        }
        _steps.Add(w =>
        {
            for (int i = 0; i < units.Count; i++)
            {
                w.BiasUnit(layer, first + i, units[i].Bias);
                foreach ((Variable v, int value, double weight) in units[i].Reads) w.ReadUnit(layer, first + i, v.Start + value, weight);
                foreach ((Variable v, int value, double weight) in units[i].Writes) w.WriteUnit(layer, first + i, v.Start + value, weight);
            }
            foreach ((Variable v, int value, double weight) in always) w.WriteAlways(layer, v.Start + value, weight);
        });
    }

    /// <summary>Says which variable the logits read.</summary>
    /// <param name="answer">The variable.</param>
    /// <param name="firstToken">The token of its value 0; the others follow.</param>
    public void Answer(Variable answer, int firstToken)
    {
        _reads.Add((answer, _graph.LogitsColumn, HeadRole.Main));
        _steps.Add(w =>
        {
            for (int i = 0; i < answer.Size; i++) w.Unembed(firstToken + i, answer.Start + i, LogitScale);
        });
    }

    /// <summary>The model.</summary>
    public CompiledModel Build()
    {
        // The last coordinate balances the others.
        int noise = _coordinates, width = noise + Distractors.Coordinates + 1;
        int headWidth = Math.Max(_headWidth, (width + Heads - 1) / Heads);
        int inner = _unitsUsed.Max() + Distractors.Units;
        Gpt2Config config = Wiring.Config(_layers, Heads, headWidth, inner, _positions, _vocabulary);
        Wiring wiring = new(config);
        foreach (Action<Wiring> step in _steps) step(wiring);
        Distractors distractors = new(wiring, config, _variables, noise, _distractors);
        for (int l = 0; l < _layers; l++)
        {
            foreach (int head in _order[l][_headsUsed[l]..].Order()) distractors.AddHead(l, head);
            distractors.AddUnits(l, inner - Distractors.Units);
        }
        return new CompiledModel(config, wiring.Tensors(), Edges(undecided: false), Edges(undecided: true));
    }

    // Columns of queries and keys: one per value of a key that is matched, one for the fixed score, one for the begin token.
    private void Wire(Wiring wiring, int layer, int head, HeadScores scores, IReadOnlyList<HeadCopy> copies)
    {
        int column = 0;
        foreach ((Variable query, Variable key, Func<int, int, double> score) in scores.Matches)
        {
            for (int k = 0; k < key.Size; k++, column++)
            {
                wiring.Read(layer, head, 1, column, key.Start + k, 1);
                for (int q = 0; q < query.Size; q++) wiring.Read(layer, head, 0, column, query.Start + q, score(q, k));
            }
        }
        if (scores.Fixed is { } given)
        {
            wiring.Bias(layer, head, 0, column, 1);
            for (int k = 0; k < given.Key.Size; k++) wiring.Read(layer, head, 1, column, given.Key.Start + k, given.Score(k));
        }
        column++;
        wiring.Bias(layer, head, 0, column, scores.Begin);
        wiring.Read(layer, head, 1, column, First.Start, 1);
        if (scores.BeginWhere is { } where) wiring.Read(layer, head, 0, column, where.Query.Start, where.Score);

        int value = 0;
        foreach (HeadCopy copy in copies)
        {
            for (int i = 0; i < copy.From.Size; i++, value++)
            {
                wiring.Read(layer, head, 2, value, copy.From.Start + i, 1);
                for (int j = 0; j < copy.To.Size; j++)
                {
                    if (copy.Weight(i, j) is not 0 and double weight) wiring.Write(layer, head, value, copy.To.Start + j, weight);
                }
            }
        }
    }

    private Circuit Edges(bool undecided)
    {
        HashSet<(int Row, int Column)> edges = [];
        foreach ((Variable variable, int column, HeadRole role) in _reads)
        {
            foreach ((int row, bool informed) in variable.Writers)
            {
                bool backup = role == HeadRole.Backup || _backups.Contains(row);
                if (informed && backup == undecided && _graph.IsEdge(row, column)) edges.Add((row, column));
            }
        }
        return Circuit.Of(_graph, edges);
    }
}
