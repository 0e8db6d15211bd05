using Gradpath.Host;
using Gradpath.Perf;

return ConsoleProcess.Run((terminal, cancellation) => PerfApp.Run(args, terminal.In, terminal.Out, terminal.Error, cancellation));
