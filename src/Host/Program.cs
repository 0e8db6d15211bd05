using CommandLine;
using Gradpath.Host.Commands;

return Parser.Default.ParseArguments<PromptsOptions>(args).MapResult(PromptsCommand.Run, _ => 2);
