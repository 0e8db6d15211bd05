using System.Net.Sockets;
using System.Text;

namespace Gradpath.Host.Tests;

/// <summary>A server in place of the one that has the .NET install script.</summary>
internal sealed class InstallScriptServer : LoopbackServer
{
    /// <summary>The script.</summary>
    public string Script { get; set; } = "";

    /// <summary>Whether there is none.</summary>
    public bool Missing { get; set; }

    /// <summary>Whether the connection breaks off halfway.</summary>
    public bool Cuts { get; set; }

    protected override void Answer(NetworkStream stream, string method, string path, string? range)
    {
        byte[] content = Encoding.UTF8.GetBytes(Script);
        Send(stream, Missing ? "404 Not Found" : "200 OK", $"Content-Length: {(Missing ? 0 : content.Length)}");
        if (!Missing) stream.Write(content, 0, Cuts ? content.Length / 2 : content.Length);
    }
}
