namespace Gradpath.Kernels.Cuda;

// Products by cuBLAS, where the options ask for it.
public sealed partial class CudaDevice
{
    private const long CublasWorkspaceBytes = 32L << 20;

    private Cublas? _cublas;
    private Tensor? _cublasWorkspace;
    private Tensor? _ones;

    private void OpenCublas()
    {
        _cublasWorkspace = AllocateScratch(CublasWorkspaceBytes);
        _cublas = new Cublas(_stream, _options.Precision, _cublasWorkspace.Address, CublasWorkspaceBytes, _options.CublasNames);
    }

    // The bias is a product too: a column of ones times the bias row, which leaves the bias as it is.
    private void CublasProduct(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        Enter();
        _recent.Add(new KernelLaunch("a product by cuBLAS", 1, 0, 0));
        float beta = options.Accumulate ? 1 : 0;
        if (options.Bias is { } bias)
        {
            Tensor ones = Ones(c.Rows);
            var column = new Matrix(ones, 0, c.Rows, 1, 1);
            var row = new Matrix(bias, 0, 1, c.Columns, c.Columns);
            _cublas!.Multiply(column, row, c, beta, options with { StepA = 0, StepB = 0 }, exact: true);
            beta = 1;
        }
        _cublas!.Multiply(a, b, c, beta, options);
    }

    private Tensor Ones(int rows)
    {
        if (_ones is not null && _ones.Length >= rows) return _ones;
        _ones?.Dispose();
        _ones = null;
        _ones = AllocateScratch((long)rows * sizeof(float));
        var values = new float[rows];
        values.AsSpan().Fill(1);
        Upload(values, _ones);
        return _ones;
    }
}
