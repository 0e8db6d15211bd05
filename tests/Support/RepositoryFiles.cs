using System.IO.Compression;

namespace Gradpath.Tests.Support;

/// <summary>Files of the repository that tests read where they lie.</summary>
internal static class RepositoryFiles
{
    private static readonly TempFolder s_unpacked = Unpacked();

    /// <summary>The repository's root: the folder that holds Engine.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the model that ships with the program.</summary>
    public static string DemoModel { get; } = Path.Combine(Root, "models/demo");

    /// <summary>A file or folder of the tests' data.</summary>
    /// <param name="relative">Its path below <c>tests/Data</c>, with forward slashes. Of a file that lies there compressed, the name
    /// without <c>.gz</c>.</param>
    /// <returns>The full path.</returns>
    public static string Data(string relative)
    {
        string path = Path.Combine(Root, "tests/Data", relative);
        if (File.Exists(path + ".gz")) return Unpack(path + ".gz");
        return Path.Exists(path) ? path : throw new FileNotFoundException($"tests/Data/{relative} is missing", path);
    }

    private static string Unpack(string packed)
    {
        lock (s_unpacked)
        {
            string path = s_unpacked[Path.GetFileNameWithoutExtension(packed)];
            if (File.Exists(path)) return path;
            using FileStream source = File.OpenRead(packed);
            using GZipStream content = new(source, CompressionMode.Decompress);
            using FileStream target = File.Create(path);
            content.CopyTo(target);
            return path;
        }
    }

    private static TempFolder Unpacked()
    {
        TempFolder folder = new();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        return folder;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Engine.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"Engine.sln is in no folder above {AppContext.BaseDirectory}");
    }
}
