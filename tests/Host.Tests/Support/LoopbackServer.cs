using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gradpath.Host.Tests;

/// <summary>
/// An HTTP server on this machine that closes each connection after its answer: what a test's server answers, and how badly.
/// </summary>
internal abstract class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    protected LoopbackServer()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Url = $"http://127.0.0.1:{Port}";
        Task.Run(AcceptAsync);
    }

    public string Url { get; }

    /// <summary>What was asked for: method, path, and the Range header if there was one.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The Authorization headers that were sent, with the host that each was for.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = new();

    protected int Port { get; }

    public void Dispose() => _listener.Dispose();

    /// <summary>Answers one request.</summary>
    protected abstract void Answer(NetworkStream stream, string method, string path, string? range);

    protected static void Send(NetworkStream stream, string status, string headers) =>
        stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n\r\n"));

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

    private void Answer(NetworkStream stream, string[] request)
    {
        string[] line = request[0].Split(' ');
        string? range = request.FirstOrDefault(h => h.StartsWith("Range:", StringComparison.OrdinalIgnoreCase))?[6..].Trim();
        Requests.Enqueue($"{line[0]} {line[1]}{(range is null ? "" : " " + range)}");
        string? token = request.FirstOrDefault(h => h.StartsWith("Authorization:", StringComparison.OrdinalIgnoreCase))?[14..].Trim();
        string host = request.First(h => h.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))[5..].Trim();
        if (token is not null) Authorizations.Enqueue($"{host} {token}");
        Answer(stream, line[0], line[1], range);
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
}
