namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>A pair of prompts that shows what a task is.</summary>
/// <param name="Clean">The clean prompt.</param>
/// <param name="Corrupted">The corrupted prompt.</param>
/// <param name="Answers">The right answers to the clean prompt, in words.</param>
/// <param name="WrongAnswers">The wrong answers, in words.</param>
public sealed record TaskExample(string Clean, string Corrupted, string Answers, string WrongAnswers);
