using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Gradpath.Host.Tests;

/// <summary>
/// A small HTTP server that answers like the Hugging Face hub: a large file redirects to another address and states its SHA-256 on the
/// way, a small one is served after a redirect within the hub, or at once, with its git blob SHA-1 as ETag. It can also misbehave.
/// </summary>
internal sealed class FakeHub : IDisposable
{
    private const string Files = "/openai-community/gpt2/resolve/main/";
    private const string Cache = "/api/resolve-cache/";
    private const string Storage = "/storage/";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Dictionary<string, byte[]> _content;

    public FakeHub(Dictionary<string, byte[]> content)
    {
        _content = content;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Url = $"http://127.0.0.1:{Port}";
        Task.Run(AcceptAsync);
    }

    public string Url { get; }

    /// <summary>What was asked for: method, path, and the Range header if there was one.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>How many of the next downloads of the large file break off halfway through what was asked for.</summary>
    public int Cuts { get; set; }

    /// <summary>Files that are served with other bytes than their checksums say.</summary>
    public HashSet<string> Corrupted { get; } = [];

    /// <summary>Files whose checksum is not stated.</summary>
    public HashSet<string> Unstated { get; } = [];

    /// <summary>Whether Range headers are ignored.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>How many of the next requests are answered with 503.</summary>
    public int Failures { get; set; }

    private int Port { get; }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync().ConfigureAwait(false);
                try
                {
                    using NetworkStream stream = client.GetStream();
                    Answer(stream, ReadRequest(stream));
                }
                catch (IOException)
                {
                    // The client went away.
                }
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private static string[] ReadRequest(NetworkStream stream)
    {
        StringBuilder text = new();
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int next = stream.ReadByte();
            if (next < 0) throw new IOException("no request");
            text.Append((char)next);
        }
        return text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    private void Answer(NetworkStream stream, string[] request)
    {
        string[] line = request[0].Split(' ');
        (string method, string path) = (line[0], line[1]);
        string? range = request.FirstOrDefault(h => h.StartsWith("Range:", StringComparison.OrdinalIgnoreCase))?[6..].Trim();
        Requests.Enqueue($"{method} {path}{(range is null ? "" : " " + range)}");
        string name = path[(path.LastIndexOf('/') + 1)..];
        if (Failures > 0)
        {
            Failures--;
            Send(stream, "503 Service Unavailable", "Content-Length: 0");
            return;
        }
        if (!_content.TryGetValue(name, out byte[]? content) || !(path.StartsWith(Files, StringComparison.Ordinal) || path.StartsWith(Cache, StringComparison.Ordinal) || path.StartsWith(Storage, StringComparison.Ordinal)))
        {
            Send(stream, "404 Not Found", "Content-Length: 0");
            return;
        }

        bool large = name == "model.safetensors";
        if (large && path.StartsWith(Files, StringComparison.Ordinal))
        {
            // Another origin, as far as a client can tell.
            string stated = Unstated.Contains(name) ? "X-Nothing: 1" : $"X-Linked-Etag: \"{Convert.ToHexStringLower(SHA256.HashData(content))}\"\r\nX-Linked-Size: {content.Length}";
            Send(stream, "302 Found", $"Location: http://localhost:{Port}{Storage}{name}\r\nETag: \"not-a-checksum\"\r\n{stated}\r\nContent-Length: 0");
        }
        else if (name == "vocab.json" && path.StartsWith(Files, StringComparison.Ordinal))
        {
            Send(stream, "307 Temporary Redirect", $"location: {Cache}{name}\r\ncontent-length: 0");
        }
        else
        {
            string tag = large || Unstated.Contains(name) ? "" : $"ETag: \"{GitBlobSha1(content)}\"\r\n";
            byte[] served = content;
            if (Corrupted.Contains(name))
            {
                served = [.. content];
                served[^1] ^= 1;
            }
            SendContent(stream, method, IgnoresRanges ? null : range, served, tag, large);
        }
    }

    private void SendContent(NetworkStream stream, string method, string? range, byte[] content, string tag, bool mayCut)
    {
        int from = range is null ? 0 : int.Parse(range.AsSpan("bytes=".Length).TrimEnd('-'), CultureInfo.InvariantCulture);
        if (from >= content.Length && from > 0)
        {
            Send(stream, "416 Range Not Satisfiable", $"Content-Range: bytes */{content.Length}\r\nContent-Length: 0");
            return;
        }
        int count = content.Length - from;
        string status = range is null ? "200 OK" : "206 Partial Content";
        string place = range is null ? "" : $"Content-Range: bytes {from}-{content.Length - 1}/{content.Length}\r\n";
        Send(stream, status, $"{tag}{place}Content-Length: {count}");
        if (method == "HEAD") return;
        if (mayCut && Cuts > 0)
        {
            Cuts--;
            count /= 2;
        }
        stream.Write(content, from, count);
    }

    private static void Send(NetworkStream stream, string status, string headers) =>
        stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n\r\n"));

    // git's object ids are SHA-1; nothing here relies on it for security.
#pragma warning disable CA5350
    private static string GitBlobSha1(byte[] content) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350
}
