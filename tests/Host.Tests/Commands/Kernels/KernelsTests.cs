using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath kernels</c> on a machine without a GPU.</summary>
public sealed class KernelsTests : IDisposable
{
    public KernelsTests() => CudaDrivers.Replace(() => throw new Kernels.DeviceException("no driver here"));

    public void Dispose() => CudaDrivers.Replace(null);

    [Fact]
    public void Every_entry_point_is_listed_with_the_registers_that_its_PTX_uses()
    {
        Cli run = Cli.Run("kernels", "list", "--device", "cpu").Succeeds("no GPU: registers are those", "live registers");
        string[] lines = run.Out.Split('\n');
        foreach (string file in CudaDevice.ModuleFiles)
        {
            foreach (string kernel in CudaDevice.EntryPoints(file))
            {
                string[] cells = Assert.Single(lines, l => l.Contains($" {kernel} ", StringComparison.Ordinal))
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal([file, kernel], cells[..2]);
                Assert.InRange(int.Parse(cells[3], System.Globalization.CultureInfo.InvariantCulture), 1, 255);
            }
        }
    }

    [Fact]
    public void The_PTX_of_a_file_and_of_a_kernel_is_dumped()
    {
        using TempFolder folder = new();
        Cli.Run("kernels", "dump", "LayerNorm.ptx", "--out", folder["a.ptx"]).Succeeds("PTX: ");
        Assert.Equal(CudaDevice.ShippedPtx("LayerNorm"), File.ReadAllText(folder["a.ptx"]));
        string kernel = Cli.Run("kernels", "dump", "standardize").Succeeds(".version 7.8\n.target sm_80\n.address_size 64\n").Out;
        Assert.Single(kernel.Split(".entry ")[1..]);
        Assert.Contains(".visible .entry standardize(", kernel, StringComparison.Ordinal);
        Assert.EndsWith("\tret;\n                                        // -- End function\n}\n", kernel, StringComparison.Ordinal);
        Assert.Equal(kernel, Cli.Run("kernels", "dump", "STANDARDIZE").Succeeds().Out);
        Cli.Run("kernels", "dump", "attention2").Succeeds(".extern .shared .align 16 .b8 dynamicSharedMemory[];");
    }

    [Fact]
    public void Ops_and_products_run_on_the_CPU()
    {
        Cli.Run("kernels", "run", "Fill", "--device", "cpu", "--repeats", "1").Succeeds("800 x 768", "against the CPU", "ok");
        Cli.Run("kernels", "run", "gemm", "--device", "cpu", "--repeats", "1", "--shape", "9 x 8 x 7", "--layout", "nt")
            .Succeeds("9 x 8 x 7, B transposed", "ok");
    }

    [Theory]
    [InlineData("kernels", "name what to do: kernels list, kernels dump NAME, kernels run NAME or kernels compile.")]
    [InlineData("kernels list --compile", "--list, --dump, --run and --compile do not go together; give one.")]
    [InlineData("kernels list --shape 1x2x3", "--shape is for kernels run.")]
    [InlineData("kernels run Fill --cubin", "--cubin is for kernels dump.")]
    [InlineData("kernels dump Rows --cubin", "--cubin: an image is no text; add --out FILE.")]
    [InlineData("kernels dump Row", "--dump Row: there is no such kernel or file; did you mean Rows?")]
    [InlineData("kernels run gemmTf32x3Nn64x65", "did you mean gemmTf32x3Nn64x64?")]
    [InlineData("kernels run Fill --shape 3x3", "--shape 3x3: Fill is timed at 800 x 768.")]
    [InlineData("kernels run Fill --plan 64x64", "--plan 64x64: Fill is no product.")]
    [InlineData("kernels run Gemm --shape 3x3", "--shape 3x3: a product's is M x N x K, each from 1 to 1048576, as 160x3072x768.")]
    [InlineData("kernels run Gemm --shape 3x3x0", "--shape 3x3x0: a product's is M x N x K")]
    [InlineData("kernels run Gemm --layout tx", "--layout tx: choose nn, nt, tn or tt.")]
    [InlineData("kernels run Gemm --plan 3x3", "--plan 3x3: choose 128x128, 64x64, 32x128 or plain; 128x128x2 cuts K")]
    [InlineData("kernels run Gemm --plan 3x3 --gemm tf32x3", "--plan 3x3: choose 128x128, 128x64, 64x64, 32x128 or plain")]
    [InlineData("kernels run Gemm --plan 128x64 --precision bf16", "--plan 128x64: choose 128x128, 64x64, 32x128 or plain")]
    [InlineData("kernels run gemmTf32x3Nt64x64 --layout nn", "--layout nn: gemmTf32x3Nt64x64 is for nt and tt.")]
    [InlineData("kernels run gemmTf32x3Nt64x64 --plan 32x128", "--plan 32x128: gemmTf32x3Nt64x64 is the tile 64x64; write 64x64x2")]
    [InlineData("kernels run gemmPlain --plan 64x64", "--plan 64x64: gemmPlain has no other plan than plain.")]
    [InlineData("kernels run Fill --watch nowhere", "--watch nowhere: there is no such folder.")]
    [InlineData("kernels run Fill --watch . --json", "--watch and --json do not go together: watching has no end.")]
    [InlineData("kernels run gemmPlain --device cpu", "--run gemmPlain needs a GPU; leave --device cpu out.")]
    [InlineData("kernels compile --device cpu", "--compile needs a GPU; leave --device cpu out.")]
    public void Options_that_make_no_sense_are_refused(string line, string mention) =>
        Cli.Run(line.Split(' ')).Fails(2, mention);

    [Theory]
    [InlineData("kernels run gemmFfma64x64", "--run gemmFfma64x64 needs a GPU: no driver here")]
    [InlineData("kernels run Gemm --plan 64x64", "--plan needs a GPU: no driver here")]
    [InlineData("kernels compile", "--compile needs a GPU: no driver here")]
    [InlineData("kernels dump Rows --cubin --out x.cubin", "--cubin needs a GPU: no driver here")]
    [InlineData("kernels list --device cuda", "--device cuda: no driver here")]
    public void What_needs_a_GPU_says_so(string line, string mention) => Assert.Contains(
        mention, Cli.Run(line.Split(' ')) is { ExitCode: 1 } run ? run.Error : "no failure", StringComparison.Ordinal);
}
