using System.Net.Sockets;
using System.Text;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>Files that appear whole or not at all.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_a_new_file_and_replaces_an_old_one()
    {
        AtomicFile.Write(_folder["a.txt"], stream => stream.Write("first and longer"u8));
        AtomicFile.Write(_folder["a.txt"], stream => stream.Write("second"u8));
        Assert.Equal("second", File.ReadAllText(_folder["a.txt"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_failure_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(_folder["a.txt"], "old");
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(_folder["a.txt"], stream =>
        {
            stream.Write("half"u8);
            stream.Flush();
            Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
            Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
            throw new OperationCanceledException();
        }));
        Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
        GradpathException e = Assert.Throws<GradpathException>(
            () => AtomicFile.Write(_folder["a.txt"], _ => throw new IOException("disk full")));
        Assert.Contains("a.txt: disk full", e.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void What_is_left_to_the_system_is_whole_and_not_waited_for()
    {
        int thread = Environment.CurrentManagedThreadId;
        List<string> steps = [];
        AtomicFile.Step = step =>
        {
            if (Environment.CurrentManagedThreadId == thread) steps.Add(step);
        };
        try
        {
            AtomicFile.WithoutSync(() => AtomicFile.Write(_folder["a.json"], "new"));
            Assert.Equal(["create", "write", "rename", "written"], steps);
            Assert.Throws<InvalidOperationException>(() => AtomicFile.WithoutSync(() => throw new InvalidOperationException()));
            steps.Clear();
            AtomicFile.Write(_folder["a.json"], "newer");
            Assert.Equal(["create", "write", "sync", "rename", "sync folder", "written"], steps);
        }
        finally
        {
            AtomicFile.Step = null;
        }
        Assert.Equal("newer", File.ReadAllText(_folder["a.json"]));
    }

    [Fact]
    public void Of_several_that_give_a_file_one_name_one_does()
    {
        if (OperatingSystem.IsWindows()) return;
        File.WriteAllText(_folder["one"], "one");
        File.WriteAllText(_folder["two"], "two");
        Assert.True(Posix.TryLink(_folder["one"], _folder["name"]));
        Assert.False(Posix.TryLink(_folder["two"], _folder["name"]));
        Assert.Equal("one", File.ReadAllText(_folder["name"]));
        Assert.Null(Posix.TryLink(_folder["one"], _folder["missing/name"]));
    }

    [Fact]
    public void A_missing_directory_and_a_directory_in_the_way_are_named()
    {
        Assert.Contains("does not exist; create it first",
            Assert.Throws<GradpathException>(() => AtomicFile.Write(_folder["no/a.txt"], _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("it is a directory", Assert.Throws<GradpathException>(() => AtomicFile.Write(_folder.Path, _ => { })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        File.WriteAllText(_folder["target"], "old");
        File.CreateSymbolicLink(_folder["link"], "target");
        AtomicFile.Write(_folder["link"], stream => stream.Write("new"u8));
        Assert.Equal("new", File.ReadAllText(_folder["target"]));
        Assert.NotNull(new FileInfo(_folder["link"]).LinkTarget);
    }

    [SkippableFact]
    public void A_device_file_is_written_to_and_not_replaced()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no device files on Windows");
        AtomicFile.RequireWritable("/dev/null");
        AtomicFile.Write("/dev/null", stream => stream.Write(Encoding.UTF8.GetBytes("gone")));
        Assert.Empty(File.ReadAllBytes("/dev/null"));
        File.CreateSymbolicLink(_folder["link"], "/dev/null");
        AtomicFile.Write(_folder["link"], stream => stream.Write(Encoding.UTF8.GetBytes("gone")));
        Assert.Equal(FileKind.Stream, OutputTarget.Of(_folder["link"]).Kind);
    }

    [SkippableFact]
    public async Task A_named_pipe_is_written_to_and_stays_one()
    {
        Skip.IfNot(File.Exists("/usr/bin/mkfifo"), "mkfifo is not installed");
        using (var make = System.Diagnostics.Process.Start("/usr/bin/mkfifo", _folder["pipe"])) await make.WaitForExitAsync();
        AtomicFile.RequireWritable(_folder["pipe"]);
        Task<string> reader = Task.Run(() => File.ReadAllText(_folder["pipe"]));
        await Task.Run(() => AtomicFile.Write(_folder["pipe"], stream => stream.Write("through"u8)));
        Assert.Equal("through", await reader);
        Assert.Equal(FileKind.Stream, OutputTarget.Of(_folder["pipe"]).Kind);
        Assert.Equal(".json", AtomicFile.Extension(_folder["pipe"], ".json"));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [SkippableFact]
    public void What_is_no_file_is_refused_and_stays()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "elsewhere the kinds of files are not told apart");
        File.CreateSymbolicLink(_folder["dangling"], "nowhere");
        File.CreateSymbolicLink(_folder["folder"], _folder.Path);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder["socket"]));
        foreach ((string name, string reason) in ((string, string)[])
            [("dangling", "it is a link to"), ("folder", "it is a directory"), ("socket", "it is a socket")])
        {
            foreach (Action<string> use in (Action<string>[])[AtomicFile.RequireWritable, p => AtomicFile.Write(p, _ => { })])
            {
                GradpathException e = Assert.Throws<GradpathException>(() => use(_folder[name]));
                Assert.Contains($"{_folder[name]}: {reason}", e.Message, StringComparison.Ordinal);
            }
        }
        Assert.Equal(3, Directory.GetFileSystemEntries(_folder.Path).Length);
        Assert.False(Path.Exists(_folder["nowhere"]));
    }

    [SkippableFact]
    public void A_file_in_memory_is_a_file()
    {
        Skip.IfNot(Directory.Exists("/dev/shm"), "this machine has no /dev/shm");
        string path = $"/dev/shm/gradpath-test-{Guid.NewGuid():N}";
        try
        {
            AtomicFile.RequireWritable(path);
            AtomicFile.Write(path, stream => stream.Write("first and longer"u8));
            AtomicFile.Write(path, stream => stream.Write("second"u8));
            Assert.Equal("second", File.ReadAllText(path));
            Assert.Single(Directory.GetFiles("/dev/shm", $"{Path.GetFileName(path)}*"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableFact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_replaced_file_keeps_its_mode_and_a_protected_one_stays()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such modes");
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupWrite;
        File.WriteAllText(_folder["a.txt"], "old");
        File.SetUnixFileMode(_folder["a.txt"], Mode);
        AtomicFile.Write(_folder["a.txt"], stream => stream.Write("new"u8));
        Assert.Equal("new", File.ReadAllText(_folder["a.txt"]));
        Assert.Equal(Mode, File.GetUnixFileMode(_folder["a.txt"]));
        File.SetUnixFileMode(_folder["a.txt"], UnixFileMode.UserRead);
        Assert.Contains("protected from writing", Assert.Throws<GradpathException>(
            () => AtomicFile.RequireWritable(_folder["a.txt"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_writer_left_goes_with_the_next_write_and_what_a_live_one_writes_stays()
    {
        string dead = _folder.Write("a.txt.0123456789ab.part", "half");
        string[] others = [
            _folder.Write("a.txt.0123456789xy.part", "mine"), _folder.Write("a.txt.part", "mine"),
            _folder.Write("b.txt.0123456789ab.part", "of another target")];
        AtomicFile.Write(_folder["a.txt"], outer =>
        {
            Assert.False(File.Exists(dead));
            outer.Write("outer"u8);
            AtomicFile.Write(_folder["a.txt"], inner => inner.Write("inner"u8));
            Assert.Equal("inner", File.ReadAllText(_folder["a.txt"]));
        });
        Assert.Equal("outer", File.ReadAllText(_folder["a.txt"]));
        Assert.Equal([_folder["a.txt"], .. others], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Many_writers_of_one_file_all_end_well_and_readers_see_whole_content()
    {
        string[] contents = [.. Enumerable.Range(0, 4).Select(i => new string((char)('a' + i), 100_000 + i))];
        AtomicFile.Write(_folder["a.txt"], stream => stream.Write(Encoding.UTF8.GetBytes(contents[0])));
        using CancellationTokenSource done = new();
        Task reader = Task.Run(() =>
        {
            while (!done.IsCancellationRequested) Assert.Contains(File.ReadAllText(_folder["a.txt"]), contents);
        });
        await Task.WhenAll(contents.Select(content => Task.Run(() =>
        {
            for (int i = 0; i < 20; i++)
                AtomicFile.Write(_folder["a.txt"], stream => stream.Write(Encoding.UTF8.GetBytes(content)));
        })));
        await done.CancelAsync();
        await reader;
        Assert.Contains(File.ReadAllText(_folder["a.txt"]), contents);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_name_as_long_as_names_may_be_is_written()
    {
        string path = _folder[new string('\u00fc', 125) + ".json"];
        AtomicFile.Write(path, stream => stream.Write("long"u8));
        Assert.Equal("long", File.ReadAllText(path));
    }

    [SkippableFact]
    public void A_descriptor_is_written_to_where_it_stands()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "descriptors have no paths elsewhere");
        using FileStream file = new(_folder["log"], FileMode.Create, FileAccess.ReadWrite);
        int number = (int)file.SafeFileHandle.DangerousGetHandle();
        foreach (string path in (string[])[$"/dev/fd/{number}", $"/proc/self/fd/{number}"])
        {
            AtomicFile.RequireWritable(path);
            AtomicFile.Write(path, stream => stream.Write("line\n"u8));
        }
        using StreamReader reader = new(file);
        Assert.Equal("line\nline\n", reader.ReadToEnd());
        Assert.Equal(new OutputTarget(FileKind.Descriptor, "descriptor 1", 1), OutputTarget.Of("-"));
        Assert.Equal(1, OutputTarget.Of("/dev/stdout").Descriptor);
        Assert.Equal(2, OutputTarget.Of("/dev/stderr").Descriptor);
        Assert.Equal(FileKind.Nothing, OutputTarget.Of("./-").Kind);
        foreach (string closed in (string[])["/dev/fd/999", "/dev/fd/0"])
        {
            using Stream? input = closed.EndsWith('0') ? File.OpenRead(_folder["log"]) : null;
            string path = input is null ? closed : $"/dev/fd/{((FileStream)input).SafeFileHandle.DangerousGetHandle()}";
            Assert.Contains("Bad file descriptor", Assert.Throws<GradpathException>(
                () => AtomicFile.RequireWritable(path)).Message, StringComparison.Ordinal);
        }
    }
}
