using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// All writers' outputs of one run in compact form: the token embedding, every layer's heads before their output projection (a head's
/// output is z W_O, so its row of W_O is applied once, to a difference), and every MLP's output.
/// </summary>
internal sealed class WriterOutputs : ResourceOwner
{
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly Tensor _rowWeights;
    private readonly Tensor _itemWeights;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="device">The device.</param>
    /// <param name="capacity">The largest batch, one copy.</param>
    public WriterOutputs(Gpt2Config config, Device device, PassCapacity capacity)
    {
        _config = config;
        _device = device;
        _rowWeights = Own(device.Allocate(capacity.Rows));
        _itemWeights = Own(device.Allocate(capacity.Sequences));
        Blocks = Own(new WriterBlocks(device, config.Layers, capacity, config.Width, input: true));
    }

    /// <summary>All of them.</summary>
    public WriterBlocks Blocks { get; }

    /// <summary>The token embedding [rows, D].</summary>
    public Tensor Input => Blocks.Input!;

    /// <summary>Per layer the heads' mixed values [query rows, D].</summary>
    public Tensor[] Z => Blocks.Z;

    /// <summary>Per layer the MLP's output, bias included [query rows, D].</summary>
    public Tensor[] Mlp => Blocks.Mlp;

    /// <summary>These as what replaces writers' outputs.</summary>
    public PatchTarget Target => new(Input, Blocks);

    /// <summary>this = alpha x + beta y, writer by writer.</summary>
    /// <param name="shape">A pass whose first copy these are.</param>
    /// <param name="alpha">Factor of x.</param>
    /// <param name="x">Other outputs.</param>
    /// <param name="beta">Factor of y.</param>
    /// <param name="y">Other outputs; may be this.</param>
    public void Combine(PassShape shape, float alpha, WriterOutputs x, float beta, WriterOutputs y) => _device.Replay(
        shape.Slot(new PassKey(this, x, y, BitConverter.SingleToInt32Bits(alpha), BitConverter.SingleToInt32Bits(beta))),
        (Outputs: this, shape, alpha, x, beta, y),
        static s => s.Outputs.IssueCombine(s.shape, s.alpha, s.x, s.beta, s.y));

    /// <summary>Multiplies every item's outputs with a weight.</summary>
    /// <param name="shape">A pass whose first copy these are.</param>
    /// <param name="rowWeights">[rows of one copy]: the weight of each row's item.</param>
    /// <param name="itemWeights">[items], for a pass whose last layer is there at the answer rows alone; null for others.</param>
    public void Weight(PassShape shape, Tensor rowWeights, Tensor? itemWeights)
    {
        // A batch's weights are arrays of its own, and a recorded pass has fixed ones.
        _device.CopyBlock(rowWeights, 0, _rowWeights, 0, shape.BaseRows);
        if (shape.AnswerOnly) _device.CopyBlock(itemWeights!, 0, _itemWeights, 0, shape.Items);
        _device.Replay(shape.Slot(new PassKey(this)), (Outputs: this, shape), static s => s.Outputs.IssueWeight(s.shape));
    }

    /// <summary>this += factor times the sum over prompts: builds the mean over prompts of one length, as one prompt's outputs.</summary>
    /// <param name="shape">A pass of one copy.</param>
    /// <param name="a">Its activations, with all layers' writers kept.</param>
    /// <param name="embeddings">The pass's token embeddings.</param>
    /// <param name="factor">Weight of each prompt.</param>
    public void AddItems(PassShape shape, Activations a, Tensor embeddings, float factor)
    {
        Add(embeddings, shape.BaseRows, Input);
        for (int l = 0; l < _config.Layers; l++)
        {
            int rows = l == _config.Layers - 1 ? shape.BaseFinalRows : shape.BaseRows;
            Add(a.Z[l], rows, Z[l]);
            Add(a.MlpOutput[l], rows, Mlp[l]);
        }

        void Add(Tensor from, int rows, Tensor to)
        {
            long length = (long)rows / shape.Items * _config.Width;
            for (int i = 0; i < shape.Items; i++)
            {
                using Tensor item = from.Slice(i * length, (int)length);
                _device.Combine(factor, item, 1, to, length, to);
            }
        }
    }

    /// <summary>Every item gets the same outputs.</summary>
    /// <param name="shape">A pass whose first copy these become; prompts of one length.</param>
    /// <param name="one">One prompt's outputs.</param>
    public void Repeat(PassShape shape, WriterOutputs one)
    {
        Copy(one.Input, shape.BaseRows, Input);
        for (int l = 0; l < _config.Layers; l++)
        {
            int rows = l == _config.Layers - 1 ? shape.BaseFinalRows : shape.BaseRows;
            Copy(one.Z[l], rows, Z[l]);
            Copy(one.Mlp[l], rows, Mlp[l]);
        }

        void Copy(Tensor from, int rows, Tensor to)
        {
            long length = (long)rows / shape.Items * _config.Width;
            for (int i = 0; i < shape.Items; i++) _device.CopyBlock(from, 0, to, i * length, length);
        }
    }

    /// <summary>Takes the writers' outputs of one copy of a pass.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations, with all layers' writers kept.</param>
    /// <param name="embeddings">The pass's token embeddings, all copies.</param>
    /// <param name="copy">Index of the copy.</param>
    public void Take(PassShape shape, Activations a, Tensor embeddings, int copy) => _device.Replay(
        shape.Slot(new PassKey(this, a, embeddings, copy)), (Outputs: this, shape, a, embeddings, copy), static s =>
            s.Outputs.IssueTake(s.shape, s.a, s.embeddings, s.copy));

    /// <summary>Takes a weighted difference of two copies of a pass: the writers' outputs of copy 1 minus those of copy 0.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations, with all layers' writers kept.</param>
    /// <param name="embeddings">The pass's token embeddings, both copies.</param>
    /// <param name="rowWeights">[rows of one copy]: the weight of each row's item.</param>
    /// <param name="itemWeights">[items]: the same for each item.</param>
    public void TakeDifference(PassShape shape, Activations a, Tensor embeddings, Tensor rowWeights, Tensor itemWeights)
    {
        (int rows, int final, int d) = (shape.BaseRows, shape.BaseFinalRows, _config.Width);
        int input = checked(rows * d);
        WriterBlocks writers = a.Writers;
        Tensor finalWeights = shape.AnswerOnly ? itemWeights : rowWeights;
        Subtract(
            new Matrix(embeddings, input, 1, input, input), new Matrix(embeddings, 0, 1, input, input), rowWeights,
            new Matrix(Input, 0, 1, input, input));
        Subtract(writers.Front(rows, rows), writers.Front(0, rows), rowWeights, Blocks.Front(0, rows, skip: 1));
        Subtract(writers.Final(final, final), writers.Final(0, final), finalWeights, Blocks.Final(0, final));

        void Subtract(in Matrix second, in Matrix first, Tensor weights, in Matrix target) =>
            _device.CombineBlocks(1, second, -1, first, weights, d, target);
    }

    private void IssueCombine(PassShape shape, float alpha, WriterOutputs x, float beta, WriterOutputs y)
    {
        (int rows, int final, int d) = (shape.BaseRows, shape.BaseFinalRows, _config.Width);
        _device.CombineBlocks(alpha, x.Blocks.Front(0, rows), beta, y.Blocks.Front(0, rows), null, d, Blocks.Front(0, rows));
        _device.CombineBlocks(alpha, x.Blocks.Final(0, final), beta, y.Blocks.Final(0, final), null, d, Blocks.Final(0, final));
    }

    private void IssueWeight(PassShape shape)
    {
        Matrix front = Blocks.Front(0, shape.BaseRows), final = Blocks.Final(0, shape.BaseFinalRows);
        _device.CombineBlocks(1, front, 0, front, _rowWeights, _config.Width, front);
        _device.CombineBlocks(1, final, 0, final, shape.AnswerOnly ? _itemWeights : _rowWeights, _config.Width, final);
    }

    private void IssueTake(PassShape shape, Activations a, Tensor embeddings, int copy)
    {
        (int rows, int final) = (shape.BaseRows, shape.BaseFinalRows);
        long input = (long)rows * _config.Width;
        _device.CopyBlock(embeddings, copy * input, Input, 0, input);
        _device.CopyMatrix(a.Writers.Front(copy * rows, rows), Blocks.Front(0, rows, skip: 1));
        _device.CopyMatrix(a.Writers.Final(copy * final, final), Blocks.Final(0, final));
    }
}
