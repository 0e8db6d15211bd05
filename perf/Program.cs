using System.Text;
using CommandLine;
using Gradpath.Host;
using Gradpath.Perf;

// Ctrl-C asks the running command to stop at the next batch; a second one ends the program at once.
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, key) =>
{
    if (stop.IsCancellationRequested) return;
    key.Cancel = true;
    stop.Cancel();
};
if (Console.IsOutputRedirected) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return PerfApp.Run(args, Console.In, Console.Out, Console.Error, stop.Token);
