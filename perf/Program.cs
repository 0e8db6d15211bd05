using Gradpath.Perf;

switch (args.FirstOrDefault())
{
    case "gemm":
        return GemmAgainstOpenBlas.Run(args[1..]);
    default:
        Console.Error.WriteLine("usage: perf gemm [--quick] [--workers N] [--rounds N] [--shape MxNxK[t]]...");
        return 2;
}
