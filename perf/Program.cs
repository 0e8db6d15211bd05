using Gradpath.Perf;
using Gradpath.Programs;

return ConsoleProcess.Run(PerfApp.Name, (terminal, cancellation) => PerfApp.Run(args, terminal, cancellation));
