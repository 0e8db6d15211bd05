using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests.Transcoders;

/// <summary>
/// GPT-2 on one prompt in float64, written straight from the definitions, and the same model with its attention patterns and LayerNorm
/// scales held at those of the prompt and its MLPs' outputs given.
/// </summary>
internal sealed class PlainModel
{
    private readonly Gpt2Weights _weights;
    private readonly int _d;
    private readonly int _rows;
    private readonly double[][] _embedded;
    private readonly List<double[][][]> _patterns = [];
    private readonly List<double[]> _attentionScales = [];
    private readonly List<double[]> _mlpScales = [];
    private readonly List<(float[] Qkv, float[] QkvBias, float[] Output, float[] OutputBias)> _attention = [];
    private readonly List<(float[] Gain, float[] Shift)> _norms = [];
    private double _finalScale;

    public PlainModel(Gpt2Weights weights, int[] tokens)
    {
        (_weights, _d, _rows) = (weights, weights.Config.Width, tokens.Length);
        float[] wte = weights.TokenEmbedding.ToArray(), wpe = weights.PositionEmbedding.ToArray();
        _embedded = [.. tokens.Select((t, i) =>
            Enumerable.Range(0, _d).Select(c => (double)wte[(t * _d) + c] + wpe[(i * _d) + c]).ToArray())];
        foreach (Gpt2Layer w in weights.Layers)
        {
            _attention.Add((w.QkvWeight.ToArray(), w.QkvBias.ToArray(), w.OutputWeight.ToArray(), w.OutputBias.ToArray()));
            _norms.Add((w.AttentionGain.ToArray(), w.AttentionShift.ToArray()));
        }
        Logits = Run(null);
    }

    /// <summary>What each layer's MLP reads [layer][position][D], on the prompt.</summary>
    public List<double[][]> MlpInputs { get; } = [];

    /// <summary>The residual stream in front of each layer's MLP and its LayerNorm.</summary>
    public List<double[][]> Streams { get; } = [];

    /// <summary>What each layer's MLP writes.</summary>
    public List<double[][]> MlpOutputs { get; } = [];

    /// <summary>The logits of the last position.</summary>
    public double[] Logits { get; }

    /// <summary>The logits where something is added to what an MLP writes at a position; nothing is frozen.</summary>
    public double[] With(int layer, int position, double[] added) => Run((layer, position, added));

    /// <summary>The frozen model.</summary>
    /// <param name="written">What MLPs write, by layer, position and the stream there, behind LayerNorm and in front of it.</param>
    /// <param name="tokens">Factor of each position's embedding.</param>
    /// <returns>The stream at each layer's MLP, behind LayerNorm and in front of it, and the final one behind its LayerNorm.</returns>
    public (List<double[][]> MlpInputs, List<double[][]> Streams, double[] Final) Frozen(
        Func<int, int, double[], double[], double[]> written, double[] tokens)
    {
        double[][] stream = [.. _embedded.Select((row, i) => row.Select(x => x * tokens[i]).ToArray())];
        List<double[][]> inputs = [], streams = [];
        for (int l = 0; l < _weights.Config.Layers; l++)
        {
            (float[] gain, float[] shift) = _norms[l];
            double[][] normed = [.. stream.Select((row, i) => Norm(row, gain, shift, _attentionScales[l][i]))];
            Attend(l, normed, _patterns[l], stream);
            Gpt2Layer w = _weights.Layers[l];
            float[] mlpGain = w.MlpGain.ToArray(), mlpShift = w.MlpShift.ToArray();
            double[][] read = [.. stream.Select((row, i) => Norm(row, mlpGain, mlpShift, _mlpScales[l][i]))];
            inputs.Add(read);
            streams.Add([.. stream.Select(row => row.ToArray())]);
            for (int i = 0; i < _rows; i++)
            {
                double[] add = written(l, i, read[i], streams[l][i]);
                for (int c = 0; c < _d; c++) stream[i][c] += add[c];
            }
        }
        return (inputs, streams, Norm(stream[^1], _weights.FinalGain.ToArray(), _weights.FinalShift.ToArray(), _finalScale));
    }

    /// <summary>A logit minus the mean of all logits.</summary>
    public double Centred(double[] final, int token)
    {
        float[] u = _weights.Unembedding.ToArray();
        double own = 0, all = 0;
        for (int v = 0; v < _weights.Config.Vocabulary; v++)
        {
            double logit = 0;
            for (int c = 0; c < _d; c++) logit += final[c] * u[(v * _d) + c];
            all += logit / _weights.Config.Vocabulary;
            if (v == token) own = logit;
        }
        return own - all;
    }

    // The first run keeps what the frozen model needs.
    private double[] Run((int Layer, int Position, double[] Added)? change)
    {
        bool keeps = change is null;
        double[][] stream = [.. _embedded.Select(row => row.ToArray())];
        for (int l = 0; l < _weights.Config.Layers; l++)
        {
            Gpt2Layer w = _weights.Layers[l];
            (float[] gain, float[] shift) = _norms[l];
            double[] scales = [.. stream.Select(Scale)];
            double[][] normed = [.. stream.Select((row, i) => Norm(row, gain, shift, scales[i]))];
            double[][][] patterns = Patterns(l, normed);
            Attend(l, normed, patterns, stream);
            double[] mlpScales = [.. stream.Select(Scale)];
            float[] mlpGain = w.MlpGain.ToArray(), mlpShift = w.MlpShift.ToArray();
            double[][] read = [.. stream.Select((row, i) => Norm(row, mlpGain, mlpShift, mlpScales[i]))];
            double[][] wrote = Mlp(w, read);
            if (keeps)
            {
                _patterns.Add(patterns);
                _attentionScales.Add(scales);
                _mlpScales.Add(mlpScales);
                MlpInputs.Add(read);
                Streams.Add([.. stream.Select(row => row.ToArray())]);
                MlpOutputs.Add([.. wrote.Select(row => row.ToArray())]);
            }
            if (change is { } c && c.Layer == l)
            {
                for (int i = 0; i < _d; i++) wrote[c.Position][i] += c.Added[i];
            }
            for (int r = 0; r < _rows; r++)
            {
                for (int i = 0; i < _d; i++) stream[r][i] += wrote[r][i];
            }
        }
        if (keeps) _finalScale = Scale(stream[^1]);
        double[] final = Norm(stream[^1], _weights.FinalGain.ToArray(), _weights.FinalShift.ToArray(), Scale(stream[^1]));
        float[] u = _weights.Unembedding.ToArray();
        return [.. Enumerable.Range(0, _weights.Config.Vocabulary).Select(v =>
        {
            double logit = 0;
            for (int i = 0; i < _d; i++) logit += final[i] * u[(v * _d) + i];
            return logit;
        })];
    }

    private double[][][] Patterns(int layer, double[][] normed)
    {
        (float[] qkv, float[] bias, _, _) = _attention[layer];
        int heads = _weights.Config.Heads, width = _weights.Config.HeadWidth;
        double[][] all = [.. normed.Select(row => Product(row, qkv, 3 * _d, bias))];
        return [.. Enumerable.Range(0, heads).Select(h => Enumerable.Range(0, _rows).Select(q =>
        {
            double[] scores = new double[q + 1];
            for (int k = 0; k <= q; k++)
            {
                for (int c = 0; c < width; c++) scores[k] += all[q][(h * width) + c] * all[k][_d + (h * width) + c];
                scores[k] *= _weights.Config.AttentionScale(layer);
            }
            double most = scores.Max(), sum = scores.Sum(s => Math.Exp(s - most));
            return scores.Select(s => Math.Exp(s - most) / sum).ToArray();
        }).ToArray())];
    }

    private void Attend(int layer, double[][] normed, double[][][] patterns, double[][] stream)
    {
        (float[] qkv, float[] bias, float[] output, float[] outputBias) = _attention[layer];
        int width = _weights.Config.HeadWidth;
        double[][] all = [.. normed.Select(row => Product(row, qkv, 3 * _d, bias))];
        for (int q = 0; q < _rows; q++)
        {
            double[] mixed = new double[_d];
            for (int c = 0; c < _d; c++)
            {
                for (int k = 0; k <= q; k++) mixed[c] += patterns[c / width][q][k] * all[k][(2 * _d) + c];
            }
            double[] add = Product(mixed, output, _d, outputBias);
            for (int c = 0; c < _d; c++) stream[q][c] += add[c];
        }
    }

    private double[][] Mlp(Gpt2Layer w, double[][] read)
    {
        float[] up = w.UpWeight.ToArray(), upBias = w.UpBias.ToArray(), down = w.DownWeight.ToArray(), downBias = w.DownBias.ToArray();
        return [.. read.Select(row =>
        {
            double[] hidden = Product(row, up, _weights.Config.InnerWidth, upBias);
            for (int i = 0; i < hidden.Length; i++)
            {
                double x = hidden[i];
                hidden[i] = 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));
            }
            return Product(hidden, down, _d, downBias);
        })];
    }

    private double Scale(double[] row)
    {
        double mean = row.Average();
        return 1 / Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + _weights.Config.Epsilon);
    }

    private static double[] Norm(double[] row, float[] gain, float[] shift, double scale)
    {
        double mean = row.Average();
        return [.. row.Select((x, i) => ((x - mean) * scale * gain[i]) + shift[i])];
    }

    private static double[] Product(double[] row, float[] matrix, int columns, float[] bias)
    {
        double[] result = [.. bias.Select(b => (double)b)];
        for (int r = 0; r < row.Length; r++)
        {
            for (int c = 0; c < columns; c++) result[c] += row[r] * matrix[(r * columns) + c];
        }
        return result;
    }
}
