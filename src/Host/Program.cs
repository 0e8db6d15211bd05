using Gradpath.Host;

return ConsoleProcess.Run(GradpathApp.Name, (terminal, cancellation) => GradpathApp.Run(args, terminal, cancellation));
