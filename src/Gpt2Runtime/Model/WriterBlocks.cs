using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The outputs of all layers' heads (before their output projection) and MLPs in one piece of memory, so that one operation does for all of
/// them what is the same for each. A block is what one sublayer writes; the blocks of the last layer come last, and may be shorter than the
/// others. The token embedding may be a block in front.
/// </summary>
internal sealed class WriterBlocks : ResourceOwner
{
    private readonly Tensor _storage;
    private readonly int _width;
    private readonly int _before;
    private readonly int _count;
    private readonly int _stride;
    private readonly int _finalStride;

    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="device">The device.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="capacity">The largest pass.</param>
    /// <param name="width">D.</param>
    /// <param name="input">Whether the token embedding is a block.</param>
    public WriterBlocks(Device device, int layers, PassCapacity capacity, int width, bool input)
    {
        _width = width;
        int before = _before = input ? 1 : 0;
        _count = before + (2 * (layers - 1));
        _stride = checked(capacity.Rows * width);
        _finalStride = checked(capacity.FinalRows * width);
        _storage = Own(device.Allocate(checked((_count * capacity.Rows) + (2 * capacity.FinalRows)), width));
        Input = input ? _storage.Slice(0, capacity.Rows, width) : null;
        Z = [.. Enumerable.Range(0, layers).Select(l => Block(before + (2 * l)))];
        Mlp = [.. Enumerable.Range(0, layers).Select(l => Block(before + (2 * l) + 1))];

        Tensor Block(int index) => index < _count
            ? _storage.Slice((long)index * _stride, capacity.Rows, width)
            : _storage.Slice(((long)_count * _stride) + ((long)(index - _count) * _finalStride), capacity.FinalRows, width);
    }

    /// <summary>The token embedding [rows, D]; null where it is no block.</summary>
    public Tensor? Input { get; }

    /// <summary>Per layer the heads' mixed values [query rows, D].</summary>
    public Tensor[] Z { get; }

    /// <summary>Per layer the MLP's output [query rows, D].</summary>
    public Tensor[] Mlp { get; }

    /// <summary>The blocks before the last layer, one per row of the matrix.</summary>
    /// <param name="first">Rows of a pass before those that count.</param>
    /// <param name="rows">Rows that count.</param>
    /// <param name="skip">Blocks that are left out in front.</param>
    /// <returns>[blocks, rows * D].</returns>
    public Matrix Front(int first, int rows, int skip = 0)
    {
        long offset = _count == skip ? 0 : ((long)skip * _stride) + ((long)first * _width);
        return new Matrix(_storage, offset, _count - skip, checked(rows * _width), Math.Max(_stride, rows * _width));
    }

    /// <summary>The heads' mixed values of layers before the last, one per row of the matrix.</summary>
    /// <param name="first">Rows of a pass before those that count.</param>
    /// <param name="rows">Rows that count.</param>
    /// <param name="layer">The first of the layers.</param>
    /// <param name="layers">Number of layers.</param>
    /// <returns>[layers, rows * D].</returns>
    public Matrix Heads(int first, int rows, int layer, int layers) => EverySecond(_before + (2 * layer), first, rows, layers);

    /// <summary>The MLPs' outputs before the last layer, one per row of the matrix.</summary>
    /// <param name="first">Rows of a pass before those that count.</param>
    /// <param name="rows">Rows that count.</param>
    /// <returns>[layers - 1, rows * D].</returns>
    public Matrix Mlps(int first, int rows) => EverySecond(_before + 1, first, rows, (_count - _before) / 2);

    /// <summary>All blocks become zeros.</summary>
    public void Clear() => _storage.Device.Fill(_storage, 0, _storage.Length);

    /// <summary>The blocks of the last layer, one per row of the matrix.</summary>
    /// <param name="first">Rows of a pass before those that count.</param>
    /// <param name="rows">Rows that count.</param>
    /// <returns>[2, rows * D].</returns>
    public Matrix Final(int first, int rows) => new(
        _storage, ((long)_count * _stride) + ((long)first * _width), 2, checked(rows * _width), _finalStride);

    /// <summary>Whether the last layer's blocks are as long as the others.</summary>
    public bool IsEven => _stride == _finalStride;

    /// <summary>The token embedding and the MLPs' outputs, one per row of the matrix.</summary>
    /// <param name="rows">Rows that count.</param>
    /// <param name="last">Whether the last layer's is among them, whose blocks are as long as the others then.</param>
    /// <returns>[layers, or one more, rows * D].</returns>
    public Matrix InputAndMlps(int rows, bool last) => EverySecond(0, 0, rows, (_count + (last ? 3 : 1)) / 2);

    private Matrix EverySecond(int block, int first, int rows, int count) => new(
        _storage, count == 0 ? 0 : ((long)block * _stride) + ((long)first * _width), count, checked(rows * _width), checked(2 * _stride));
}
