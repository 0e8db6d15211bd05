namespace Gradpath.Cuda.Tests.Driver;

/// <summary>The stand-in keeps one log, so its tests run one after the other.</summary>
[CollectionDefinition(nameof(FakeCuda), DisableParallelization = true)]
public class FakeCudaCollection;
