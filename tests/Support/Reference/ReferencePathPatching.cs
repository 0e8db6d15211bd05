using Gradpath.Gpt2Runtime.Metrics;


namespace Gradpath.Tests.Support.Reference;

/// <summary>Path patching as it is defined: passes A to D of one prompt pair, each from the start.</summary>
internal static class ReferencePathPatching
{
    /// <summary>Metric of pass D minus metric of pass B.</summary>
    /// <param name="model">The weights.</param>
    /// <param name="item">Passes A and B; what replaces the sender's output is the item's replacement.</param>
    /// <param name="sender">Row of the sender.</param>
    /// <param name="senderPositions">Where its output is replaced.</param>
    /// <param name="receivers">Columns of the receivers and where their input is replaced.</param>
    /// <param name="freezeMlps">Whether MLPs keep their outputs in pass C.</param>
    /// <param name="metric">The metric.</param>
    public static double Effect(
        ReferenceModel model,
        ReferenceItem item,
        int sender,
        bool[] senderPositions,
        IReadOnlyDictionary<int, bool[]> receivers,
        bool freezeMlps,
        Metric metric)
    {
        ReferenceGraph graph = model.Graph;
        Dictionary<int, RealMatrix> given = [];
        for (int row = 1; row < graph.Rows; row++)
        {
            bool isMlp = graph.WriterNames[row].StartsWith('m');
            if (!isMlp || freezeMlps) given[row] = item.Clean.Writers[row].Value;
        }
        given[sender] = RealMatrix.SelectRows(senderPositions, item.Replacement[sender], item.Clean.Writers[sender].Value);
        ReferenceRun c = ReferenceRun.Forward(model, item.CleanEmbedding, new ReferencePatch { Given = given });
        ReferenceRun d = ReferenceRun.Forward(model, item.CleanEmbedding, new ReferencePatch
        {
            GivenInputs = receivers.ToDictionary(r => r.Key, r => (c.Readers[r.Key].Value, r.Value)),
        });
        return ReferenceMetric.Value(metric, d.LastLogits, item.Pair, item.Clean.LastLogits)
            - ReferenceMetric.Value(metric, item.Clean.LastLogits, item.Pair, item.Clean.LastLogits);
    }
}
