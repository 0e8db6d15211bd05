using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary>
/// A headless Chromium with one page, driven over its DevTools protocol: enough to load a file, run script in it, move the mouse, press
/// keys and notice errors. Tests are skipped where no Chromium is installed, or only the stub that some systems have in its place.
/// </summary>
public sealed class Browser : IDisposable
{
    private static readonly string[] s_programs = ["chromium", "chromium-browser", "google-chrome"];
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder _profile = new();
    private readonly string? _obstacle;
    private readonly Process? _process;
    private readonly ClientWebSocket _socket = new();
    private int _calls;

    public Browser()
    {
        if (s_programs.Select(ShellRun.Find).FirstOrDefault(p => p is not null) is not { } program)
        {
            _obstacle = $"needs Chromium: none of {string.Join(", ", s_programs)} is on the PATH";
            return;
        }
        string[] switches =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0",
            $"--user-data-dir={_profile.Path}", "about:blank",
        ];
        _process = Process.Start(new ProcessStartInfo(program, switches) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        if (!Connect().GetAwaiter().GetResult())
        {
            _obstacle = $"needs Chromium: {program} ends at once, with exit code {_process.ExitCode}";
            return;
        }
        foreach (string domain in new[] { "Runtime", "Log", "Page", "Network" }) Call($"{domain}.enable");
        Call("Performance.enable", new() { ["timeDomain"] = "threadTicks" });
        Resize(1280, 900);
    }

    /// <summary>What the page logged as an error or threw, since it was loaded.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Addresses that were asked for, since the page was loaded.</summary>
    public List<string> Requests { get; } = [];

    public void Require() => Skip.If(_obstacle is not null, _obstacle);

    public void Resize(int width, int height) =>
        Call("Emulation.setDeviceMetricsOverride",
            new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = false });

    public void PreferDark(bool dark) => Call("Emulation.setEmulatedMedia", new()
    {
        ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" }),
    });

    /// <summary>Loads a file and waits until it has been drawn.</summary>
    public void Open(string path)
    {
        Errors.Clear();
        Requests.Clear();
        Call("Page.navigate", new() { ["url"] = new Uri(path).AbsoluteUri });
        Script<bool>("new Promise(done => document.readyState === 'complete' ? done(true) : addEventListener('load', () => done(true)))");
        Settle();
    }

    /// <summary>Waits for two frames, so that what was asked for has been drawn.</summary>
    public void Settle() => Script<bool>("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");

    /// <summary>
    /// Seconds of processor time that the page's main thread has used since it was loaded, whatever else the machine does.
    /// </summary>
    public double ProcessorSeconds() =>
        Call("Performance.getMetrics")["metrics"]!.AsArray().First(m =>
            m!["name"]!.GetValue<string>() == "TaskDuration")!["value"]!.GetValue<double>();

    /// <summary>Runs an expression in the page; a promise is awaited.</summary>
    public T Script<T>(string expression)
    {
        JsonObject result = Call(
            "Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        if (result["exceptionDetails"] is { } thrown)
            throw new InvalidOperationException($"{expression}: {thrown["exception"]?["description"] ?? thrown["text"]}");
        return result["result"]!["value"].Deserialize<T>()!;
    }

    public void MoveMouse(double x, double y) => Call("Input.dispatchMouseEvent", new() { ["type"] = "mouseMoved", ["x"] = x, ["y"] = y });

    public void Click(double x, double y)
    {
        foreach (string type in new[] { "mousePressed", "mouseReleased" })
            Call("Input.dispatchMouseEvent", new() { ["type"] = type, ["x"] = x, ["y"] = y, ["button"] = "left", ["clickCount"] = 1 });
        Settle();
    }

    public void Press(string key)
    {
        int code = key switch
        {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => throw new ArgumentException(key)
        };
        foreach (string type in new[] { "rawKeyDown", "keyUp" })
            Call("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
        Settle();
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
        }
        _socket.Dispose();
        _profile.Dispose();
    }

    // False where the program has ended before it could be spoken to.
    private async Task<bool> Connect()
    {
        using CancellationTokenSource limit = new(s_patience);
        string portFile = Path.Combine(_profile.Path, "DevToolsActivePort");
        while (!File.Exists(portFile) || (await File.ReadAllLinesAsync(portFile, limit.Token)).Length < 2)
        {
            if (_process!.HasExited) return false;
            await Task.Delay(50, limit.Token);
        }
        string port = (await File.ReadAllLinesAsync(portFile, limit.Token))[0];
        using HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
        JsonArray targets = (await http.GetFromJsonAsync<JsonArray>($"http://127.0.0.1:{port}/json", limit.Token))!;
        string address = targets.First(t => t!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>();
        _socket.Options.Proxy = null;
        await _socket.ConnectAsync(new Uri(address), limit.Token);
        return true;
    }

    private JsonObject Call(string method, JsonObject? parameters = null) => CallAsync(method, parameters ?? []).GetAwaiter().GetResult();

    // One call at a time: what arrives before its answer are events.
    private async Task<JsonObject> CallAsync(string method, JsonObject parameters)
    {
        using CancellationTokenSource limit = new(s_patience);
        int id = ++_calls;
        byte[] message = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters });
        await _socket.SendAsync(message, WebSocketMessageType.Text, true, limit.Token).ConfigureAwait(false);
        while (true)
        {
            JsonObject answer = await Receive(limit.Token).ConfigureAwait(false);
            if (answer["id"]?.GetValue<int>() == id)
                return answer["result"] as JsonObject ?? throw new InvalidOperationException($"{method}: {answer["error"]}");
            Notice(answer["method"]?.GetValue<string>(), answer["params"]);
        }
    }

    private void Notice(string? name, JsonNode? details)
    {
        switch (name)
        {
            case "Runtime.exceptionThrown":
                Errors.Add(details!["exceptionDetails"]!.ToJsonString());
                break;
            case "Log.entryAdded" when details!["entry"]!["level"]!.GetValue<string>() == "error":
            case "Runtime.consoleAPICalled" when details!["type"]!.GetValue<string>() == "error":
                Errors.Add(details!.ToJsonString());
                break;
            case "Network.requestWillBeSent":
                Requests.Add(details!["request"]!["url"]!.GetValue<string>());
                break;
        }
    }

    private async Task<JsonObject> Receive(CancellationToken cancellation)
    {
        using MemoryStream message = new();
        byte[] buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!.AsObject();
    }
}
