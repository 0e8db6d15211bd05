// What the kernels and the C# that launches them, or computes the same, agree on. `compile` writes KernelConstants.cs from this file: a
// constant's documentation is the line above it, and its name loses the k.
#pragma once

// Threads of a warp.
constexpr int kWarp = 32;

// A round of Philox multiplies word 0 of the counter by this.
constexpr uint32 kPhiloxMultiplierA = 0xD2511F53u;
// A round of Philox multiplies word 2 of the counter by this.
constexpr uint32 kPhiloxMultiplierB = 0xCD9E8D57u;
// Word 0 of Philox's key grows by this from round to round.
constexpr uint32 kPhiloxKeyStepA = 0x9E3779B9u;
// Word 1 of Philox's key grows by this from round to round.
constexpr uint32 kPhiloxKeyStepB = 0xBB67AE85u;
// Rounds of Philox.
constexpr int kPhiloxRounds = 10;

// The factor of x^3 in gelu_new.
constexpr float kGeluCubic = 0.044715f;
// The square root of 2 / pi, to which gelu_new's argument is scaled.
constexpr float kGeluRoot = 0.7978845608028654f;

// The factor of x in quick_gelu's exponent.
constexpr float kQuickGelu = 1.702f;
// Below this magnitude tanh is computed as a fraction of polynomials, above it from the exponential.
constexpr float kTanhSmall = 0.5f;

// A gradient of a smaller norm has no direction: the embedding path stays where it is.
constexpr double kNoDirection = 1e-12;

// Threads of a block of the attention kernels.
constexpr int kAttentionThreads = 128;
// Keys of a tile of the attention kernels: one for each lane of a warp.
constexpr int kAttentionKeys = 32;
// Queries of a tile of the kernel that makes the keys' gradients.
constexpr int kAttentionQueries = 16;
// Rows of a tile that a thread makes four floats of, at most.
constexpr int kAttentionSlots = 4;
// Floats between two rows of weights in shared memory.
constexpr int kAttentionPadding = 4;
// Most keys of a sequence, prefix included, whose heads have a warp each.
constexpr int kShortKeys = 32;
// Queries (or keys, for their gradients) of such a warp; the head's width is a multiple of it.
constexpr int kShortRows = 16;

// Threads of a block that accumulates readers: a warp for each reader and row.
constexpr int kAccumulateThreads = 128;
// Readers whose gradients a thread finishes.
constexpr int kReadersPerThread = 4;
// Threads of a block of the proximity kernels.
constexpr int kProximityThreads = 256;

// Writers of a tile of the edge contraction.
constexpr int kContractionRows = 64;
// Threads of a block of the edge contraction.
constexpr int kContractionThreads = 128;
// Steps of the edge contraction that lie in shared memory at once.
constexpr int kContractionStages = 4;
// Cells that a block adds the slices of.
constexpr int kContractionCells = 32;
// Threads that share a cell's slices.
constexpr int kContractionParts = 8;

// An operand of a product is copied to shared memory by 16 bytes a thread.
constexpr int kCopyWide = 0;
// An operand of a product is copied to shared memory by 4 bytes a thread.
constexpr int kCopySingle = 1;
// An operand of a product is copied to shared memory by 4 bytes a thread and transposed on the way.
constexpr int kCopyTransposed = 2;
// A product is multiplied by other numbers before it is stored.
constexpr int kEpilogueMultiply = 1;
// A product goes through GELU before it is stored.
constexpr int kEpilogueGelu = 2;
// Rows and columns of a block of the plain product.
constexpr int kPlainSide = 16;
// Threads of a block that adds the parts of a split product.
constexpr int kAddSplitsThreads = 256;
// A row of partial sums is padded to a multiple of so many floats.
constexpr int kPartialUnit = 4;
// k's of a step of the float32 tile kernels.
constexpr int kFfmaDepth = 16;
// Steps of the float32 tile kernels that lie in shared memory at once.
constexpr int kFfmaStages = 3;
// Floats between two rows of a tile in shared memory, float32 tile kernels.
constexpr int kFfmaPadding = 4;
// k's of a step of the tile kernels on tensor cores.
constexpr int kMmaDepth = 32;
// Steps of the tile kernels on tensor cores that lie in shared memory at once.
constexpr int kMmaStages = 3;
// Floats between two rows of B in shared memory where n is contiguous, tile kernels on tensor cores.
constexpr int kMmaPadding = 8;

// Columns of a block of a packed factor, which is what a tile of products on compute capability 9.0 has.
constexpr int kPackedColumns = 192;
// k's of a step of a packed factor.
constexpr int kPackedDepth = 32;
// Threads of a block that packs.
constexpr int kPackThreads = 256;
// Shared memory of a block of products on compute capability 9.0.
constexpr int kSm90aSharedBytes = 180288;

// Threads of a block that normalises a row.
constexpr int kLayerNormThreads = 128;
// Most rows that a block of LayerNorm's backward kernel has at once: at 3 a thread has 168 registers and needs 150.
constexpr int kLayerNormMostGroups = 3;

// Threads of a block that has a row as wide as the vocabulary.
constexpr int kWideRowThreads = 1024;
// Threads of a block that makes dot products of rows: a warp for each.
constexpr int kRowDotsThreads = 256;
// Tokens that a word of shared memory marks.
constexpr int kBitsPerWord = 32;

// Threads of a block of the kernels over sequences.
constexpr int kPathThreads = 256;

// Rows and columns of a tile that is carried across the diagonal.
constexpr int kMirrorTile = 32;
// Rows of that tile that a block copies at once.
constexpr int kMirrorTileRows = 8;

// Threads of a block of the kernels that measure rates.
constexpr int kRateThreads = 256;
// Times that a loop of these kernels is written out.
constexpr int kRateUnroll = 8;

// Place among the numbers of a mask training's step: the step, from 0.
constexpr int kMaskStep = 0;
// The sparsity of edges that the step is pulled to.
constexpr int kMaskEdgeTarget = 1;
// The sparsity of gates that the step is pulled to.
constexpr int kMaskGateTarget = 2;
// The parameters' learning rate.
constexpr int kMaskRate = 3;
// The multipliers' learning rate.
constexpr int kMaskMultiplierRate = 4;
// One less beta 1 to the power of the steps done.
constexpr int kMaskCorrection1 = 5;
// One less beta 2 to the power of the steps done.
constexpr int kMaskCorrection2 = 6;
// Numbers that the schedule gives: those before this place.
constexpr int kMaskScheduled = 7;
// The sum of the edges' masks.
constexpr int kMaskEdgeSum = 7;
// The sum of the gates.
constexpr int kMaskGateSum = 8;
// The sum of the gradient's squares.
constexpr int kMaskSquares = 9;
// The derivative of the loss by each edge's mask through the sparsity.
constexpr int kMaskEdgePull = 10;
// The same for gates.
constexpr int kMaskGatePull = 11;
// The factor on the gradient; NaN where the step is not to be taken.
constexpr int kMaskScale = 12;
// The mean of the prompts' values.
constexpr int kMaskMean = 13;
// What the edges' sparsity adds to the loss.
constexpr int kMaskEdgeLoss = 14;
// The edges' sparsity.
constexpr int kMaskEdgeSparsity = 15;
// What the gates' sparsity adds to the loss.
constexpr int kMaskGateLoss = 16;
// The gates' sparsity.
constexpr int kMaskGateSparsity = 17;
// Multipliers of the edges' gap, of its square, of the gates' gap, of its square: each its value and two moments.
constexpr int kMaskMultipliers = 18;
// All numbers of a step.
constexpr int kMaskNumbers = 30;
