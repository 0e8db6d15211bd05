using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h about the library itself, and those that take any handle.</summary>
internal static unsafe class LibraryExports
{
    /// <summary>The version of the interface; it grows where callers must be compiled anew.</summary>
    public const uint Abi = 1;

    [UnmanagedCallersOnly(EntryPoint = "gradpath_abi", CallConvs = [typeof(CallConvCdecl)])]
    private static uint GetAbi() => Abi;

    [UnmanagedCallersOnly(EntryPoint = "gradpath_last_error", CallConvs = [typeof(CallConvCdecl)])]
    private static byte* GetLastError() => LastError.Text();

    [UnmanagedCallersOnly(EntryPoint = "gradpath_version", CallConvs = [typeof(CallConvCdecl)])]
    private static int Version(byte* buffer, nuint capacity, nuint* length) =>
        Call.Run(() => Output.Write(Provenance.ProgramVersion, buffer, capacity, length));

    [UnmanagedCallersOnly(EntryPoint = "gradpath_catalog", CallConvs = [typeof(CallConvCdecl)])]
    private static int Catalog(byte* buffer, nuint capacity, nuint* length) =>
        Call.Run(() => Output.Write(CatalogJson(), buffer, capacity, length));

    [UnmanagedCallersOnly(EntryPoint = "gradpath_describe", CallConvs = [typeof(CallConvCdecl)])]
    private static int Describe(nint handle, byte* buffer, nuint capacity, nuint* length) => Call.Run(() =>
    {
        using HandleUse<IHandled> use = HandleTable.Use(handle, "handle");
        Output.Write(use.Value.Describe(), buffer, capacity, length);
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_close", CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(nint handle) => Call.Run(() => HandleTable.Close(handle));

    [UnmanagedCallersOnly(EntryPoint = "gradpath_open_handles", CallConvs = [typeof(CallConvCdecl)])]
    private static nuint OpenHandles() => (nuint)HandleTable.Count;

    [UnmanagedCallersOnly(EntryPoint = "gradpath_stop_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenStop(nint* stop) => Call.Run(() =>
    {
        Output.Require(stop, "stop");
        *stop = 0;
        *stop = HandleTable.Open(new StopObject());
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_stop_signal", CallConvs = [typeof(CallConvCdecl)])]
    private static int SignalStop(nint stop) => Call.Run(() =>
    {
        using HandleUse<StopObject> use = HandleTable.Use<StopObject>(stop, HandleKind.Stop, "stop");
        use.Value.Signal();
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_graph_names", CallConvs = [typeof(CallConvCdecl)])]
    private static int GraphNames(uint layers, uint heads, byte* buffer, nuint capacity, nuint* length) => Call.Run(() =>
    {
        ComputationGraph graph = GraphExports.Graph(layers, heads);
        JsonObject json = new()
        {
            ["writers"] = Texts.Array(Gpt2Runtime.Graph.GraphNames.Writers(graph)),
            ["readers"] = Texts.Array(Gpt2Runtime.Graph.GraphNames.Readers(graph)),
            ["n_edges"] = graph.EdgeCount,
        };
        Output.Write(json, buffer, capacity, length);
    });

    private static JsonObject CatalogJson() => new()
    {
        ["methods"] = new JsonArray([.. AttributionMethods.All.Select(m => Row(m.Name, m.Title, m.Meaning))]),
        ["searches"] = new JsonArray([.. CircuitSearches.All.Select(s => Row(s.Name, s.Title, s.Summary))]),
        ["metrics"] = new JsonArray([.. BuiltInMetrics.All.Select(m => Row(m.Name, m.Title, m.Meaning))]),
        ["tasks"] = new JsonArray([.. TaskCatalog.All.Select(t => Row(t.Name, t.Title, t.Description))]),
        ["presets"] = new JsonArray([.. EmbeddingPathPreset.All.Select(p => Row(p.Name, p.Name, p.Summary))]),
        ["fractions"] = Gpt2Runtime.JsonNumber.Array(SparsityOptions.DefaultFractions),
    };

    private static JsonObject Row(string name, string title, string summary) =>
        new() { ["name"] = name, ["title"] = title, ["summary"] = summary };
}
