using Gradpath.Cuda.Tests.Driver;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>Compiled kernels are kept between runs, and nothing that happens to them can break a run.</summary>
public sealed class KernelCacheTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HostDriver _machine = new();
    private readonly WatchedDriver _driver;

    public KernelCacheTests() => _driver = new WatchedDriver(_machine);

    public void Dispose() => _folder.Dispose();

    private string Kept => Assert.Single(Directory.GetFiles(_folder["cache"]));

    [Fact]
    public void A_file_is_compiled_once_and_then_found()
    {
        (CudaModuleInfo first, byte[] compiled) = Load();
        Assert.Equal((false, 0.5, "info: Rows.ptx"), (first.IsKept, first.CompileSeconds, first.Log));
        (CudaModuleInfo second, byte[] kept) = Load();
        Assert.Equal((true, 0.5, "info: Rows.ptx"), (second.IsKept, second.CompileSeconds, second.Log));
        Assert.Equal(compiled, kept);
        Assert.Equal(["Rows.ptx"], _driver.Compiled);
        Assert.StartsWith("Rows-", Path.GetFileName(Kept), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder["cache"]));
        }
    }

    [Fact]
    public void Another_driver_another_GPU_and_another_text_have_images_of_their_own()
    {
        Load();
        _machine.Version = 12080;
        Load();
        _machine.Compiler = "570.86.15";
        Load();
        _machine.Devices[0] = _machine.Devices[0] with { Major = 9, Minor = 0 };
        Load();
        Assert.Equal(4, _driver.Compiled.Length);
        string text = CudaDevice.ShippedPtx("Rows");
        _folder.Write("edited/Rows.ptx", text + "// edited");
        Load(_folder["edited"]);
        Assert.Equal(5, _driver.Compiled.Length);
        Assert.Equal(5, Directory.GetFiles(_folder["cache"]).Length);
        Load();
        Load(_folder["edited"]);
        Assert.Equal(5, _driver.Compiled.Length);
    }

    [Fact]
    public void A_damaged_file_is_noticed_and_made_anew()
    {
        (_, byte[] compiled) = Load();
        byte[] whole = File.ReadAllBytes(Kept);
        int compilations = 1;
        for (int at = 0; at < whole.Length; at += 7)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            Spoiled(damaged);
        }
        foreach (int length in new[] { 0, 1, 39, 40, 41, whole.Length / 2, whole.Length - 1 }) Spoiled(whole[..length]);
        Spoiled([.. whole, 0]);

        void Spoiled(byte[] content)
        {
            File.WriteAllBytes(Kept, content);
            (CudaModuleInfo info, byte[] loaded) = Load();
            Assert.Equal((++compilations, false), (_driver.Compiled.Length, info.IsKept));
            Assert.Equal(compiled, loaded);
            Assert.Equal(whole, File.ReadAllBytes(Kept));
        }
    }

    /// <summary>An image under another's name, as after a file was copied.</summary>
    [Fact]
    public void An_image_of_another_key_is_none()
    {
        KernelCache cache = new(_folder["cache"]);
        byte[] one = KernelCache.Key("a"u8, "1", "8.0"), other = KernelCache.Key("b"u8, "1", "8.0");
        Assert.True(cache.Store("X", one, new KernelImage([1, 2], "log", 1, false)));
        string first = Kept;
        Assert.True(cache.Store("X", other, new KernelImage([3, 4], "log", 1, false)));
        string second = Directory.GetFiles(_folder["cache"]).Single(f => f != first);
        File.Copy(first, second, overwrite: true);
        Assert.Null(cache.Find("X", other));
        Assert.Equal([1, 2], cache.Find("X", one)!.Bytes);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(209)]
    public void An_image_that_the_driver_refuses_is_made_anew(int code)
    {
        CudaResult refusal = (CudaResult)code;
        Load();
        _driver.Reset();
        _driver.Fault = (call, before) => call == "LoadModule" && before == 0 ? refusal : null;
        Assert.False(Load().Info.IsKept);
        Assert.Equal(2, _driver.Compiled.Length);
        Assert.True(Load().Info.IsKept);

        // Of one that was compiled here nothing is kept, and the driver's word is the last.
        _driver.Fault = (call, _) => call == "LoadModule" ? refusal : null;
        Assert.Contains("Rows.ptx could not be loaded: LoadModule", Assert.Throws<Kernels.DeviceException>(() => Load()).Message,
            StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder["cache"]));
    }

    [Fact]
    public void A_folder_that_takes_nothing_is_no_error()
    {
        _folder.Write("cache", "a file stands here");
        Assert.False(Load().Info.IsKept);
        Assert.False(Load().Info.IsKept);
        Assert.Equal(2, _driver.Compiled.Length);
        Assert.Equal("a file stands here", File.ReadAllText(_folder["cache"]));
    }

    [Fact]
    public void What_was_not_used_for_longest_goes_first()
    {
        KernelImage image = new(new byte[1000], "", 1, false);
        KernelCache cache = new(_folder["cache"], mostBytes: 2500);
        byte[][] keys = [.. Enumerable.Range(0, 3).Select(i => KernelCache.Key([(byte)i], "1", "8.0"))];
        cache.Store("A", keys[0], image);
        string abandoned = _folder["cache/A.cubin.0123.part"], fresh = _folder["cache/A.cubin.4567.part"];
        File.WriteAllText(abandoned, "");
        File.WriteAllText(fresh, "");
        File.SetLastWriteTimeUtc(abandoned, DateTime.UtcNow.AddDays(-1));
        cache.Store("B", keys[1], image);
        Assert.False(File.Exists(abandoned));
        Assert.True(File.Exists(fresh));
        foreach (string file in Directory.GetFiles(_folder["cache"], "*.cubin"))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2));
        Assert.NotNull(cache.Find("A", keys[0]));
        cache.Store("C", keys[2], image);
        Assert.Equal([true, false, true], new[] { "A", "B", "C" }.Select((n, i) => cache.Find(n, keys[i]) is not null));
    }

    /// <summary>Nothing but the file system stands between users of a folder, be they threads or processes.</summary>
    [Fact]
    public void Readers_and_writers_at_once_see_whole_images_only()
    {
        byte[] key = KernelCache.Key("x"u8, "1", "8.0");
        int found = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, who =>
        {
            KernelCache cache = new(_folder["cache"]);
            for (int i = 0; i < 60; i++)
            {
                byte[] bytes = new byte[20_000];
                Array.Fill(bytes, (byte)who);
                if (who % 2 == 0) Assert.True(cache.Store("X", key, new KernelImage(bytes, "log", 1, false)));
                if (cache.Find("X", key) is not { } image) continue;
                Assert.Equal(20_000, image.Bytes.Length);
                Assert.All(image.Bytes.Distinct(), b => Assert.Equal(image.Bytes[0], b));
                Interlocked.Increment(ref found);
            }
        });
        Assert.True(found >= 240, $"{found} reads found an image");
        Assert.EndsWith(".cubin", Kept, StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_is_the_users_or_where_a_variable_says()
    {
        Assert.Null(Of(("GRADPATH_KERNEL_CACHE", "off"), ("HOME", "/home/anna")));
        Assert.Null(Of());
        Assert.Equal(Path.GetFullPath("kept"), Of(("GRADPATH_KERNEL_CACHE", "kept"), ("HOME", "/home/anna")));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal("/home/anna/.cache/gradpath/kernels", Of(("HOME", "/home/anna"), ("XDG_CACHE_HOME", "relative")));
        Assert.Equal("/caches/gradpath/kernels", Of(("HOME", "/home/anna"), ("XDG_CACHE_HOME", "/caches")));
    }

    private static string? Of(params (string Name, string Value)[] variables) =>
        KernelCache.Of(name => variables.FirstOrDefault(v => v.Name == name).Value).Folder;

    private (CudaModuleInfo Info, byte[] Image) Load(string? ptx = null)
    {
        byte[] loaded = [];
        _driver.Loading = (_, image) => loaded = image;
        using CudaDevice device = new(_driver, 0, null, new KernelCache(_folder["cache"])) { PtxFolder = ptx };
        return (device.LoadModule("Rows"), loaded);
    }
}
