using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>Whatever reads a file says the same of one that is not there, and nothing in the platform's words.</summary>
public sealed class UnreadableFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static Action<string>[] Readers =>
    [
        path => FileBytes.Read(path),
        path => SafetensorsFile.Open(path),
        path => CircuitFile.Read(path),
        path => PromptFile.Read(path),
        path => JsonFile.Read(path, root => root.ValueKind),
    ];

    [Theory]
    [InlineData("none.json")]
    [InlineData("nowhere/none.json")]
    public void A_file_that_is_not_there_is_said_so(string name)
    {
        foreach (Action<string> read in Readers)
        {
            Assert.Equal(
                $"{_folder[name]}: there is no such file", Assert.Throws<GradpathException>(() => read(_folder[name])).Message);
        }
    }

    [Fact]
    public void A_directory_is_no_file()
    {
        Directory.CreateDirectory(_folder["folder.json"]);
        foreach (Action<string> read in Readers)
        {
            string message = Assert.Throws<GradpathException>(() => read(_folder["folder.json"])).Message;
            Assert.StartsWith($"{_folder["folder.json"]}: is a directory", message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();
}
