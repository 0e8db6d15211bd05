using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>Ranges for NVIDIA's profilers reach their library, and without one nothing happens.</summary>
public unsafe class NvtxTests
{
    [SkippableFact]
    public void Ranges_reach_the_library()
    {
        string? path = CompiledC.Build("fakenvtx.c", out string reason);
        Skip.If(path is null, reason);
        try
        {
            using Nvtx nvtx = new(["libthere-is-none.so", path!]);
            Assert.True(nvtx.IsThere);
            nvtx.Push("W1");
            for (int i = 0; i < 2; i++)
            {
                nvtx.Push("Gemm 4 x 5 x 6");
                nvtx.Pop();
            }
            nvtx.Pop();
            var said = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(NativeLibrary.Load(path!), "fakeRanges");
            Assert.Equal("(W1(Gemm 4 x 5 x 6)(Gemm 4 x 5 x 6))", Marshal.PtrToStringUTF8((nint)said()));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    public void Without_the_library_nothing_happens()
    {
        using Nvtx nvtx = new(["libthere-is-none.so"]);
        Assert.False(nvtx.IsThere);
        nvtx.Push("W1");
        nvtx.Pop();
    }
}
