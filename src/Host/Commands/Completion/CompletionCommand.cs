using System.Reflection;
using System.Text;
using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath completion</c>: scripts for shells, made from the table of verbs, their options and the tables of names.</summary>
internal static class CompletionCommand
{
    /// <summary>The shells.</summary>
    public static readonly string[] Shells = ["bash", "zsh", "fish"];

    // Every command knows these.
    private static readonly string[] s_always = ["help"];

    public static CommandReport Run(CompletionOptions o)
    {
        string shell = EnumNames.Pick("shell", o.Shell, Shells);
        string script = shell switch
        {
            "bash" => Bash(),
            "zsh" => $"#compdef gradpath\nautoload -U +X compinit bashcompinit\ncompinit\nbashcompinit\n{Bash()}",
            _ => Fish(),
        };
        CommandReport report = new();
        report.Fact("shell", shell);
        report.Line(script.TrimEnd('\n'), ("script", script));
        return report;
    }

    private static string Bash()
    {
        StringBuilder script = new();
        script.Append(
            """
            # Completion of gradpath: verbs, options and the names that options take; files elsewhere.
            _gradpath() {
              local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words= list= files= head=
              COMPREPLY=()
              # --option=value is three words here.
              if [ "$word" = = ]; then word=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
              if [ "$COMP_CWORD" -le 1 ]; then
                COMPREPLY=($(compgen -W "

            """.TrimEnd('\n'));
        script.Append(string.Join(' ', VerbTable.Names))
            .Append(" help version\" -- \"$word\"))\n    return\n  fi\n  case \"$verb $before\" in\n");
        foreach (Verb verb in VerbTable.All)
        {
            foreach ((PropertyInfo property, OptionAttribute option) in OptionWords.All(verb.Options))
            {
                IReadOnlyList<string> values = CompletionValues.Of(verb.Name, option.LongName);
                if (values.Count == 0) continue;
                string kind = OptionWords.ElementOf(property) is not null ? " list=1"
                    : property.GetCustomAttribute<InputAttribute>() is not { } input ? ""
                    : input.Kind == InputKind.Model ? " files=-d" : " files=-f";
                script.Append($"    \"{verb.Name} --{option.LongName}\") words=\"{string.Join(' ', values)}\"{kind} ;;\n");
            }
        }
        script.Append($"    \"completion completion\") words=\"{string.Join(' ', Shells)}\" ;;\n");
        script.Append($"    \"reproduce reproduce\") words=\"{string.Join(' ', CompletionValues.Of("reproduce", "study"))}\" ;;\n");
        script.Append($"    \"help help\") words=\"{string.Join(' ', VerbTable.Names)}\" ;;\n  esac\n");
        script.Append("  if [ -z \"$words\" ] && [ \"${word#-}\" != \"$word\" ]; then\n    case $verb in\n");
        foreach (Verb verb in VerbTable.All)
        {
            IEnumerable<string> options = Options(verb).Select(x => x.LongName).Concat(s_always).Select(n => $"--{n}");
            script.Append($"      {verb.Name}) words=\"{string.Join(' ', options)}\" ;;\n");
        }
        script.Append(
            """
                esac
              fi
              # Of a list, what is behind the last comma.
              if [ -n "$list" ] && [ "${word%,*}" != "$word" ]; then head=${word%,*},; word=${word##*,}; fi
              if [ -n "$words" ]; then COMPREPLY=($(compgen -P "$head" -W "$words" -- "$word")); fi
              if [ -z "$words" ] || [ -n "$files" ]; then COMPREPLY+=($(compgen ${files:--f} -- "$word")); fi
            }
            complete -o filenames -F _gradpath gradpath ./gradpath

            """);
        return script.ToString();
    }

    private static string Fish()
    {
        StringBuilder script = new("# Completion of gradpath: verbs, options and the names that options take; files elsewhere.\n");
        foreach (Verb verb in VerbTable.All)
        {
            string help = Quoted(verb.Options.GetCustomAttribute<VerbAttribute>()!.HelpText);
            script.Append($"complete -c gradpath -n __fish_use_subcommand -f -a {verb.Name} -d {help}\n");
            foreach ((PropertyInfo property, OptionAttribute option) in OptionWords.All(verb.Options))
            {
                IReadOnlyList<string> values = CompletionValues.Of(verb.Name, option.LongName);
                string only = property.GetCustomAttribute<InputAttribute>() is null ? "-x" : "-r";
                string takes = values.Count > 0 ? $" {only} -a {Quoted(string.Join(' ', values))}"
                    : option.MetaValue.Length > 0 ? " -r" : "";
                script.Append($"complete -c gradpath -n '__fish_seen_subcommand_from {verb.Name}' -l {option.LongName}{takes}\n");
            }
        }
        script.Append($"complete -c gradpath -n '__fish_seen_subcommand_from completion' -f -a {Quoted(string.Join(' ', Shells))}\n");
        return script.ToString();
    }

    private static IEnumerable<OptionAttribute> Options(Verb verb) => OptionWords.All(verb.Options).Select(o => o.Option);

    private static string Quoted(string text) => $"'{text.Replace("'", "\\'", StringComparison.Ordinal)}'";
}
