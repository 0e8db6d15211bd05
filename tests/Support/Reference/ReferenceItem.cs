using Gradpath.Gpt2Runtime.Metrics;


namespace Gradpath.Tests.Support.Reference;

/// <summary>A prompt pair with its clean and corrupted run and what replaces each writer on a corrupted edge.</summary>
internal sealed class ReferenceItem
{
    private ReferenceItem(PromptPair pair, ReferenceRun clean, ReferenceRun corrupted)
    {
        Pair = pair;
        Clean = clean;
        Corrupted = corrupted;
    }

    public PromptPair Pair { get; }

    public ReferenceRun Clean { get; }

    public ReferenceRun Corrupted { get; }

    public RealMatrix CleanEmbedding => Clean.Embedding.Value;

    public RealMatrix CorruptedEmbedding => Corrupted.Embedding.Value;

    /// <summary>Per writer: corrupted output, zero, or the data set's mean.</summary>
    public RealMatrix[] Replacement { get; private set; } = [];

    /// <summary>Per writer: replacement - clean output.</summary>
    public RealMatrix[] Delta { get; private set; } = [];

    /// <summary>Runs all pairs. Mean-positional ablation needs them together and of one length.</summary>
    public static ReferenceItem[] Prepare(ReferenceModel model, IReadOnlyList<PromptPair> pairs, ReferenceAblation ablation)
    {
        ReferenceItem[] items = new ReferenceItem[pairs.Count];
        Parallel.For(0, items.Length, i => items[i] = new ReferenceItem(
            pairs[i],
            ReferenceRun.Forward(model, model.Embed(pairs[i].Clean)),
            ReferenceRun.Forward(model, model.Embed(pairs[i].Corrupted))));
        foreach (ReferenceItem item in items)
        {
            item.Replacement = new RealMatrix[model.Graph.Rows];
            item.Delta = new RealMatrix[model.Graph.Rows];
        }
        for (int u = 0; u < model.Graph.Rows; u++)
        {
            RealMatrix? mean = null;
            if (ablation == ReferenceAblation.MeanPositional)
            {
                mean = new RealMatrix(items[0].CleanEmbedding.Rows, items[0].CleanEmbedding.Columns);
                foreach (ReferenceItem item in items)
                {
                    mean.Add(item.Clean.Writers[u].Value, 1.0 / items.Length);
                }
            }
            foreach (ReferenceItem item in items)
            {
                RealMatrix clean = item.Clean.Writers[u].Value;
                item.Replacement[u] = ablation switch
                {
                    ReferenceAblation.Zero => new RealMatrix(clean.Rows, clean.Columns),
                    ReferenceAblation.MeanPositional => mean!,
                    _ => item.Corrupted.Writers[u].Value,
                };
                item.Delta[u] = RealMatrix.Difference(item.Replacement[u], clean);
            }
        }
        return items;
    }

    /// <summary>Differentiates the loss of a run of this item: afterwards its tape's nodes hold d loss / d node.</summary>
    public void DifferentiateLoss(ReferenceRun run, Metric metric)
    {
        TapeNode value = ReferenceMetric.Of(metric, run, Pair, Clean.LastLogits);
        run.Tape.Differentiate(run.Tape.Scale(value, ReferenceMetric.LossSign(metric)));
    }
}
