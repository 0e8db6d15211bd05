namespace Gradpath.Tests.Support.Reference;

/// <summary>A metric's value that is worked by hand.</summary>
/// <param name="Logits">[V]: the run's.</param>
/// <param name="CleanLogits">[V]: the clean run's.</param>
/// <param name="Answers">The right answers.</param>
/// <param name="WrongAnswers">The wrong ones.</param>
/// <param name="Value">The value.</param>
internal sealed record ReferenceMetricExample(
    double[] Logits, double[] CleanLogits, int[] Answers, int[] WrongAnswers, double Value);
