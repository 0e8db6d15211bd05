using Gradpath.Perf;

switch (args.FirstOrDefault())
{
    case "gemm":
        return GemmAgainstOpenBlas.Run(args[1..]);
    case "methods":
        return MethodTimes.Run(args[1..]);
    case "circuits":
        return CircuitTimes.Run();
    case "discovery":
        return DiscoveryTimes.Run(args[1..]);
    case "exact":
        return ExactTimes.Run();
    case "acdc":
        return AcdcTimes.Run(args[1..]);
    case "peers":
        return PeerTimes.Run(args[1..]);
    case "kernels":
        return KernelTable.Run(args[1..]);
    default:
        Console.Error.WriteLine("usage: perf gemm [--quick] [--workers N] [--rounds N] [--shape MxNxK[t]]...");
        Console.Error.WriteLine("       perf methods [--shape small|medium|large|xl] [--pairs N] [--tokens N] [--batch-size N] [--rounds N] [--threads N]");
        Console.Error.WriteLine("       perf peers [--shape small|medium|large|xl] [--device cpu|cuda] [--python PROGRAM] [--threads N]");
        Console.Error.WriteLine("       perf kernels [--only NAME,...] [--json FILE] [--update]");
        Console.Error.WriteLine("       perf circuits | exact | acdc [candidates]");
        Console.Error.WriteLine("       perf discovery [SPARSITY [STEPS [SEED [TASK [PAIRS [BATCH]]]]]]");
        return 2;
}
