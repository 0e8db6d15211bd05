namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>One drawn prompt pair: texts, judged token ids, and a key=value;key=value label of what was combined.</summary>
internal sealed record PromptDraft(string Clean, string Corrupted, int[] Answers, int[] WrongAnswers, string Label);
