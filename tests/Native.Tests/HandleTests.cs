using System.Text.Json.Nodes;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Tests;

/// <summary>The table of handles.</summary>
public sealed class HandleTests
{
    [Fact]
    public void A_place_that_is_used_again_has_another_handle()
    {
        Thing first = new(), second = new();
        nint closed = HandleTable.Open(first);
        HandleTable.Close(closed);
        nint open = HandleTable.Open(second);
        Assert.NotEqual(closed, open);
        Assert.True(first.IsDisposed);
        Assert.Contains("was closed", Fault(() => HandleTable.Use(closed, "it")), StringComparison.Ordinal);
        Assert.Contains("was closed", Fault(() => HandleTable.Close(closed)), StringComparison.Ordinal);
        HandleTable.Close(open);
    }

    [Fact]
    public void What_is_in_use_is_not_closed()
    {
        Thing thing = new();
        nint handle = HandleTable.Open(thing);
        using (HandleTable.Use<Thing>(handle, HandleKind.Stop, "it"))
            Assert.Equal(Status.Busy, Assert.Throws<CallException>(() => HandleTable.Close(handle)).Status);
        Assert.False(thing.IsDisposed);
        HandleTable.Close(handle);
        Assert.True(thing.IsDisposed);
    }

    [Fact]
    public void Numbers_that_are_no_handles_are_found_out()
    {
        foreach (nint handle in (nint[])[-1, 1, nint.MinValue, nint.MaxValue, 12345678, 1 << 24, unchecked((nint)0x7f12_3456_7890)])
        {
            CallException e = Assert.Throws<CallException>(() => HandleTable.Use(handle, "it"));
            Assert.Equal(Status.Handle, e.Status);
            Assert.StartsWith("it is ", e.Message, StringComparison.Ordinal);
        }
        Assert.Contains("it is NULL", Fault(() => HandleTable.Use(0, "it")), StringComparison.Ordinal);
        HandleTable.Close(0);
    }

    [Fact]
    public void Many_threads_open_and_close_without_a_mix_up()
    {
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 2000; i++)
            {
                Thing thing = new();
                nint handle = HandleTable.Open(thing);
                using (HandleUse<Thing> use = HandleTable.Use<Thing>(handle, HandleKind.Stop, "it")) Assert.Same(thing, use.Value);
                HandleTable.Close(handle);
                Assert.True(thing.IsDisposed);
            }
        });
    }

    private static string Fault(Action action) => Assert.Throws<CallException>(action).Message;

    private sealed class Thing : IHandled
    {
        public bool IsDisposed { get; private set; }

        public HandleKind Kind => HandleKind.Stop;

        public JsonObject Describe() => [];

        public void Dispose() => IsDisposed = true;
    }
}
