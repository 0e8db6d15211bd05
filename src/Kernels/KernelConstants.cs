// Written by Cuda/compile from Cuda/kernels/constants.cuh: change that file and run make kernels.
namespace Gradpath.Kernels;

/// <summary>What the kernels and the C# that launches them, or computes the same, agree on.</summary>
internal static class KernelConstants
{
    /// <summary>Threads of a warp.</summary>
    public const int Warp = 32;

    /// <summary>A round of Philox multiplies word 0 of the counter by this.</summary>
    public const uint PhiloxMultiplierA = 0xD2511F53u;

    /// <summary>A round of Philox multiplies word 2 of the counter by this.</summary>
    public const uint PhiloxMultiplierB = 0xCD9E8D57u;

    /// <summary>Word 0 of Philox's key grows by this from round to round.</summary>
    public const uint PhiloxKeyStepA = 0x9E3779B9u;

    /// <summary>Word 1 of Philox's key grows by this from round to round.</summary>
    public const uint PhiloxKeyStepB = 0xBB67AE85u;

    /// <summary>Rounds of Philox.</summary>
    public const int PhiloxRounds = 10;

    /// <summary>The factor of x^3 in gelu_new.</summary>
    public const float GeluCubic = 0.044715f;

    /// <summary>The square root of 2 / pi, to which gelu_new's argument is scaled.</summary>
    public const float GeluRoot = 0.7978845608028654f;

    /// <summary>The factor of x in quick_gelu's exponent.</summary>
    public const float QuickGelu = 1.702f;

    /// <summary>Below this magnitude tanh is computed as a fraction of polynomials, above it from the exponential.</summary>
    public const float TanhSmall = 0.5f;

    /// <summary>A gradient of a smaller norm has no direction: the embedding path stays where it is.</summary>
    public const double NoDirection = 1e-12;

    /// <summary>Threads of a block of the attention kernels.</summary>
    public const int AttentionThreads = 128;

    /// <summary>Keys of a tile of the attention kernels: one for each lane of a warp.</summary>
    public const int AttentionKeys = 32;

    /// <summary>Queries of a tile of the kernel that makes the keys' gradients.</summary>
    public const int AttentionQueries = 16;

    /// <summary>Rows of a tile that a thread makes four floats of, at most.</summary>
    public const int AttentionSlots = 4;

    /// <summary>Floats between two rows of weights in shared memory.</summary>
    public const int AttentionPadding = 4;

    /// <summary>Most keys of a sequence, prefix included, whose heads have a warp each.</summary>
    public const int ShortKeys = 32;

    /// <summary>Queries (or keys, for their gradients) of such a warp; the head's width is a multiple of it.</summary>
    public const int ShortRows = 16;

    /// <summary>Threads of a block that accumulates readers: a warp for each reader and row.</summary>
    public const int AccumulateThreads = 128;

    /// <summary>Readers whose gradients a thread finishes.</summary>
    public const int ReadersPerThread = 4;

    /// <summary>Threads of a block of the proximity kernels.</summary>
    public const int ProximityThreads = 256;

    /// <summary>Writers of a tile of the edge contraction.</summary>
    public const int ContractionRows = 64;

    /// <summary>Threads of a block of the edge contraction.</summary>
    public const int ContractionThreads = 128;

    /// <summary>Steps of the edge contraction that lie in shared memory at once.</summary>
    public const int ContractionStages = 4;

    /// <summary>Cells that a block adds the slices of.</summary>
    public const int ContractionCells = 32;

    /// <summary>Threads that share a cell's slices.</summary>
    public const int ContractionParts = 8;

    /// <summary>An operand of a product is copied to shared memory by 16 bytes a thread.</summary>
    public const int CopyWide = 0;

    /// <summary>An operand of a product is copied to shared memory by 4 bytes a thread.</summary>
    public const int CopySingle = 1;

    /// <summary>An operand of a product is copied to shared memory by 4 bytes a thread and transposed on the way.</summary>
    public const int CopyTransposed = 2;

    /// <summary>A product is multiplied by other numbers before it is stored.</summary>
    public const int EpilogueMultiply = 1;

    /// <summary>A product goes through GELU before it is stored.</summary>
    public const int EpilogueGelu = 2;

    /// <summary>Rows and columns of a block of the plain product.</summary>
    public const int PlainSide = 16;

    /// <summary>Threads of a block that adds the parts of a split product.</summary>
    public const int AddSplitsThreads = 256;

    /// <summary>A row of partial sums is padded to a multiple of so many floats.</summary>
    public const int PartialUnit = 4;

    /// <summary>k's of a step of the float32 tile kernels.</summary>
    public const int FfmaDepth = 16;

    /// <summary>Steps of the float32 tile kernels that lie in shared memory at once.</summary>
    public const int FfmaStages = 3;

    /// <summary>Floats between two rows of a tile in shared memory, float32 tile kernels.</summary>
    public const int FfmaPadding = 4;

    /// <summary>k's of a step of the tile kernels on tensor cores.</summary>
    public const int MmaDepth = 32;

    /// <summary>Steps of the tile kernels on tensor cores that lie in shared memory at once.</summary>
    public const int MmaStages = 3;

    /// <summary>Floats between two rows of B in shared memory where n is contiguous, tile kernels on tensor cores.</summary>
    public const int MmaPadding = 8;

    /// <summary>Columns of a block of a packed factor, which is what a tile of products on compute capability 9.0 has.</summary>
    public const int PackedColumns = 192;

    /// <summary>k's of a step of a packed factor.</summary>
    public const int PackedDepth = 32;

    /// <summary>Threads of a block that packs.</summary>
    public const int PackThreads = 256;

    /// <summary>Shared memory of a block of products on compute capability 9.0.</summary>
    public const int Sm90aSharedBytes = 180288;

    /// <summary>Threads of a block that normalises a row.</summary>
    public const int LayerNormThreads = 128;

    /// <summary>Most rows that a block of LayerNorm's backward kernel has at once: at 3 a thread has 168 registers and needs 150.</summary>
    public const int LayerNormMostGroups = 3;

    /// <summary>Threads of a block that has a row as wide as the vocabulary.</summary>
    public const int WideRowThreads = 1024;

    /// <summary>Threads of a block that makes dot products of rows: a warp for each.</summary>
    public const int RowDotsThreads = 256;

    /// <summary>Tokens that a word of shared memory marks.</summary>
    public const int BitsPerWord = 32;

    /// <summary>Threads of a block of the kernels over sequences.</summary>
    public const int PathThreads = 256;

    /// <summary>Rows and columns of a tile that is carried across the diagonal.</summary>
    public const int MirrorTile = 32;

    /// <summary>Rows of that tile that a block copies at once.</summary>
    public const int MirrorTileRows = 8;

    /// <summary>Threads of a block of the kernels that measure rates.</summary>
    public const int RateThreads = 256;

    /// <summary>Times that a loop of these kernels is written out.</summary>
    public const int RateUnroll = 8;

    /// <summary>Place among the numbers of a mask training's step: the step, from 0.</summary>
    public const int MaskStep = 0;

    /// <summary>The sparsity of edges that the step is pulled to.</summary>
    public const int MaskEdgeTarget = 1;

    /// <summary>The sparsity of gates that the step is pulled to.</summary>
    public const int MaskGateTarget = 2;

    /// <summary>The parameters' learning rate.</summary>
    public const int MaskRate = 3;

    /// <summary>The multipliers' learning rate.</summary>
    public const int MaskMultiplierRate = 4;

    /// <summary>One less beta 1 to the power of the steps done.</summary>
    public const int MaskCorrection1 = 5;

    /// <summary>One less beta 2 to the power of the steps done.</summary>
    public const int MaskCorrection2 = 6;

    /// <summary>Numbers that the schedule gives: those before this place.</summary>
    public const int MaskScheduled = 7;

    /// <summary>The sum of the edges' masks.</summary>
    public const int MaskEdgeSum = 7;

    /// <summary>The sum of the gates.</summary>
    public const int MaskGateSum = 8;

    /// <summary>The sum of the gradient's squares.</summary>
    public const int MaskSquares = 9;

    /// <summary>The derivative of the loss by each edge's mask through the sparsity.</summary>
    public const int MaskEdgePull = 10;

    /// <summary>The same for gates.</summary>
    public const int MaskGatePull = 11;

    /// <summary>The factor on the gradient; NaN where the step is not to be taken.</summary>
    public const int MaskScale = 12;

    /// <summary>The mean of the prompts' values.</summary>
    public const int MaskMean = 13;

    /// <summary>What the edges' sparsity adds to the loss.</summary>
    public const int MaskEdgeLoss = 14;

    /// <summary>The edges' sparsity.</summary>
    public const int MaskEdgeSparsity = 15;

    /// <summary>What the gates' sparsity adds to the loss.</summary>
    public const int MaskGateLoss = 16;

    /// <summary>The gates' sparsity.</summary>
    public const int MaskGateSparsity = 17;

    /// <summary>Multipliers of the edges' gap, of its square, of the gates' gap, of its square: each its value and two moments.</summary>
    public const int MaskMultipliers = 18;

    /// <summary>All numbers of a step.</summary>
    public const int MaskNumbers = 30;
}
