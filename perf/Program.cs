using Gradpath.Perf;

switch (args.FirstOrDefault())
{
    case "methods":
        return MethodTimes.Run(args[1..]);
    default:
        Console.Error.WriteLine("usage: perf methods [--shape small|medium|large|xl] [--pairs N] [--tokens N] [--batch-size N] [--rounds N] [--threads N]");
        return 2;
}
