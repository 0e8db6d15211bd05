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
        AtomicFile.Write("/dev/null", stream => stream.Write(Encoding.UTF8.GetBytes("gone")));
        Assert.Empty(File.ReadAllBytes("/dev/null"));
    }
}
