using Gradpath.Host;

return ConsoleProcess.Run((terminal, cancellation) => GradpathApp.Run(args, terminal, cancellation));
