using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Gradpath.Host.Tests;

/// <summary>
/// A server that answers like the Hugging Face hub: a large file redirects to another address and states its SHA-256 on the
/// way, a small one is served after a redirect within the hub, or at once, with its git blob SHA-1 as ETag. It can also misbehave.
/// </summary>
/// <param name="content">The files.</param>
internal sealed class FakeHub(Dictionary<string, byte[]> content) : LoopbackServer
{
    private const string Files = "/openai-community/gpt2/resolve/main/";
    private const string Cache = "/api/resolve-cache/";
    private const string Storage = "/storage/";

    /// <summary>How many of the next downloads of the large file break off halfway through what was asked for.</summary>
    public int Cuts { get; set; }

    /// <summary>Files that are served with other bytes than their checksums say.</summary>
    public HashSet<string> Corrupted { get; } = [];

    /// <summary>Files whose checksum is not stated.</summary>
    public HashSet<string> Unstated { get; } = [];

    /// <summary>Bytes that the large file's server goes on to send behind its end, without stating a length.</summary>
    public int Surplus { get; set; }

    /// <summary>The token without which access is refused; null where none is needed.</summary>
    public string? Token { get; set; }

    /// <summary>Whether Range headers are ignored.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>How many of the next requests are answered with 503.</summary>
    public int Failures { get; set; }

    protected override void Answer(NetworkStream stream, string method, string path, string? range)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        if (Token is not null && path.StartsWith(Files, StringComparison.Ordinal)
            && Authorizations.LastOrDefault()?.EndsWith($"Bearer {Token}", StringComparison.Ordinal) != true)
        {
            Send(stream, "401 Unauthorized", "Content-Length: 0");
            return;
        }
        if (Failures > 0)
        {
            Failures--;
            Send(stream, "503 Service Unavailable", "Content-Length: 0");
            return;
        }
        if (!content.TryGetValue(name, out byte[]? bytes)
            || !(path.StartsWith(Files, StringComparison.Ordinal) || path.StartsWith(Cache, StringComparison.Ordinal)
            || path.StartsWith(Storage, StringComparison.Ordinal)))
        {
            Send(stream, "404 Not Found", "Content-Length: 0");
            return;
        }

        bool large = name == "model.safetensors";
        if (large && path.StartsWith(Files, StringComparison.Ordinal))
        {
            // Another origin, as far as a client can tell.
            string stated = Unstated.Contains(name)
                ? "X-Nothing: 1"
                : $"X-Linked-Etag: \"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"\r\nX-Linked-Size: {bytes.Length}";
            Send(stream, "302 Found",
                $"Location: http://localhost:{Port}{Storage}{name}\r\nETag: \"not-a-checksum\"\r\n{stated}\r\nContent-Length: 0");
        }
        else if (name == "vocab.json" && path.StartsWith(Files, StringComparison.Ordinal))
        {
            Send(stream, "307 Temporary Redirect", $"location: {Cache}{name}\r\ncontent-length: 0");
        }
        else
        {
            string tag = large || Unstated.Contains(name) ? "" : $"ETag: \"{GitBlobSha1(bytes)}\"\r\n";
            byte[] served = bytes;
            if (Corrupted.Contains(name))
            {
                served = [.. bytes];
                served[^1] ^= 1;
            }
            SendContent(stream, method, IgnoresRanges ? null : range, served, tag, large);
        }
    }

    private void SendContent(NetworkStream stream, string method, string? range, byte[] served, string tag, bool mayCut)
    {
        int from = range is null ? 0 : int.Parse(range.AsSpan("bytes=".Length).TrimEnd('-'), CultureInfo.InvariantCulture);
        if (from >= served.Length && from > 0)
        {
            Send(stream, "416 Range Not Satisfiable", $"Content-Range: bytes */{served.Length}\r\nContent-Length: 0");
            return;
        }
        int count = served.Length - from;
        string status = range is null ? "200 OK" : "206 Partial Content";
        string place = range is null ? "" : $"Content-Range: bytes {from}-{served.Length - 1}/{served.Length}\r\n";
        bool endless = mayCut && Surplus > 0;
        Send(stream, status, endless ? $"{tag}X-Nothing: 1" : $"{tag}{place}Content-Length: {count}");
        if (method == "HEAD") return;
        if (endless)
        {
            stream.Write(served, from, count);
            stream.Write(new byte[Surplus]);
            return;
        }
        if (mayCut && Cuts > 0)
        {
            Cuts--;
            count /= 2;
        }
        stream.Write(served, from, count);
    }

    // git's object ids are SHA-1; nothing here relies on it for security.
#pragma warning disable CA5350
    private static string GitBlobSha1(byte[] file) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {file.Length}\0"), .. file]));
#pragma warning restore CA5350
}
