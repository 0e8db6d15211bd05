using Gradpath.Perf;
using Gradpath.Programs;

return ConsoleProcess.Run((terminal, cancellation) => PerfApp.Run(args, terminal.In, terminal.Out, terminal.Error, cancellation));
