namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The matrix product as it is defined, one element after the other: the reference that the packed product is tested against and the
/// first rung of the benchmark's ladder.
/// </summary>
internal static unsafe class GemmNaive
{
    /// <summary>C = A B (or C += A B, plus a bias row), float32 throughout, additions in order of k.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <param name="c">Result.</param>
    /// <param name="options">Accumulation, bias, batch.</param>
    public static void Run(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        int depth = a.OperandColumns;
        for (int batch = 0; batch < options.Batch; batch++)
        {
            float* pa = (float*)a.Storage.Address + a.Offset + (batch * options.StepA);
            float* pb = (float*)b.Storage.Address + b.Offset + (batch * options.StepB);
            float* pc = (float*)c.Storage.Address + c.Offset + (batch * options.StepC);
            float* bias = options.Bias is null ? null : (float*)options.Bias.Address;
            for (int i = 0; i < c.Rows; i++)
            {
                for (int j = 0; j < c.Columns; j++)
                {
                    float sum = 0;
                    for (int k = 0; k < depth; k++)
                    {
                        float left = a.Transposed ? pa[((long)k * a.Stride) + i] : pa[((long)i * a.Stride) + k];
                        float right = b.Transposed ? pb[((long)j * b.Stride) + k] : pb[((long)k * b.Stride) + j];
                        sum += left * right;
                    }
                    if (bias != null) sum += bias[j];
                    float* target = pc + ((long)i * c.Stride) + j;
                    *target = options.Accumulate ? *target + sum : sum;
                }
            }
        }
    }
}
