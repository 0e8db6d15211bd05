namespace Gradpath.Gpt2Runtime.Tests;

public sealed class ResourceOwnerTests
{
    [Fact]
    public void Resources_are_disposed_of_once_and_the_last_one_first()
    {
        var gone = new List<string>();
        var owner = new Owner(gone, "first", "second", "third");
        Assert.Empty(gone);
        owner.Dispose();
        owner.Dispose();
        Assert.Equal(["third", "second", "first"], gone);
    }

    private sealed class Owner : ResourceOwner
    {
        public Owner(List<string> gone, params string[] names)
        {
            foreach (string name in names) Assert.Equal(name, Own(new Resource(gone, name)).Name);
        }
    }

    private sealed class Resource(List<string> gone, string name) : IDisposable
    {
        public string Name => name;

        public void Dispose() => gone.Add(name);
    }
}
