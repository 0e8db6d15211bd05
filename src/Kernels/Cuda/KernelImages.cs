using System.Collections.Concurrent;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// The images of a device's kernels: from the cache, or compiled, also ahead and side by side on threads of their own. Whoever needs a file
/// first makes it, and others that need it wait for that one alone.
/// </summary>
/// <param name="driver">The driver.</param>
/// <param name="context">The device's context, in which the driver compiles for the device's GPU.</param>
/// <param name="capability">The GPU's compute capability.</param>
/// <param name="cache">Where images are kept.</param>
/// <param name="read">Gives the text of a file.</param>
internal sealed class KernelImages(ICudaDriver driver, nint context, string capability, KernelCache cache, Func<string, byte[]> read)
    : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<KernelImage>> _images = new();
    private readonly ConcurrentQueue<string> _ahead = new();
    private readonly ConcurrentDictionary<string, bool> _loaded = new();
    private readonly List<Thread> _threads = [];
    private readonly Lazy<string> _compiler = new(() => $"{driver.Version} {driver.Compiler}");
    private volatile bool _stopped;

    /// <summary>Where images are kept; null for nowhere.</summary>
    public string? Folder => cache.Folder;

    /// <summary>Whether a file's image is in the cache.</summary>
    /// <param name="file">The file without its extension.</param>
    public bool IsKept(string file) => cache.Find(file, KeyOf(read(file))) is not null;

    /// <summary>Begins to compile files, on threads of their own, and does not wait.</summary>
    /// <param name="files">The files, those first that take longest.</param>
    /// <param name="most">Most threads.</param>
    public void Begin(IEnumerable<string> files, int most)
    {
        foreach (string file in files.Where(f => !_images.ContainsKey(f) && !_ahead.Contains(f))) _ahead.Enqueue(file);
        _threads.RemoveAll(t => !t.IsAlive);

        // Counted beforehand: a thread takes its first file as soon as it runs.
        int more = Math.Min(most - _threads.Count, _ahead.Count);
        for (int i = 0; i < more; i++)
        {
            Thread thread = new(Work) { IsBackground = true, Name = "kernels" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>The image of a file: made by now, or here, or waited for. The context is current.</summary>
    /// <param name="file">The file without its extension.</param>
    /// <exception cref="CudaException">The driver's compiler refuses it; a later call tries again.</exception>
    public KernelImage Get(string file)
    {
        Lazy<KernelImage> image = _images.GetOrAdd(file, f => new(() => Make(f)));
        try
        {
            return image.Value;
        }
        catch
        {
            _images.TryRemove(KeyValuePair.Create(file, image));
            throw;
        }
    }

    /// <summary>Forgets an image that has been loaded; where the driver refused it, it is kept nowhere any more.</summary>
    /// <param name="file">The file without its extension.</param>
    /// <param name="refused">Whether the driver refused it.</param>
    public void Drop(string file, bool refused)
    {
        if (refused) cache.Delete(file, KeyOf(read(file)));
        else _loaded[file] = true;
        _images.TryRemove(file, out _);
    }

    /// <summary>Waits for what is being compiled, since nobody can stop the compiler, and begins nothing more.</summary>
    public void Dispose()
    {
        _stopped = true;
        _ahead.Clear();
        foreach (Thread thread in _threads) thread.Join();
        _threads.Clear();
        _images.Clear();
    }

    private void Work()
    {
        bool entered = false;
        while (!_stopped && _ahead.TryDequeue(out string? file))
        {
            // An error is told by whoever needs the file, for whom it stays.
            try
            {
                if (!entered) driver.MakeCurrent(context);
                entered = true;
                Lazy<KernelImage> image = _images.GetOrAdd(file, f => new(() => Make(f)));

                // Its user was faster than this thread, and needs no second image.
                if (_loaded.ContainsKey(file)) _images.TryRemove(KeyValuePair.Create(file, image));
                else _ = image.Value;
            }
            catch (Exception) when (!entered)
            {
                return;
            }
            catch (Exception)
            {
                // Whatever it is, it must not end the process here.
            }
        }
    }

    private KernelImage Make(string file)
    {
        byte[] ptx = read(file);
        byte[] key = KeyOf(ptx);
        if (cache.Find(file, key) is { } kept) return kept;
        CudaImage made = driver.Compile($"{file}.ptx", ptx);
        KernelImage image = new(made.Bytes, made.Log, made.Seconds, IsKept: false);
        cache.Store(file, key, image);
        return image;
    }

    private byte[] KeyOf(byte[] ptx) => KernelCache.Key(ptx, _compiler.Value, capability);
}
