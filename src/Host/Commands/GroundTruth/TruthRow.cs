using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Commands;

/// <summary>How well a method does on a program.</summary>
/// <param name="Program">The program.</param>
/// <param name="Method">The method.</param>
/// <param name="Quality">How well its scores tell true edges from others.</param>
/// <param name="Undecided">Edges that count as neither.</param>
/// <param name="Seconds">What scoring took.</param>
internal sealed record TruthRow(string Program, string Method, RankingQuality Quality, int Undecided, double Seconds)
{
    /// <summary>AUROC and average precision, as tables show them.</summary>
    public string Text => Cell(Quality.Area, Quality.AveragePrecision);

    /// <summary>AUROC and average precision, as tables show them.</summary>
    /// <param name="area">The first.</param>
    /// <param name="precision">The second.</param>
    public static string Cell(double area, double precision) => $"{Sizes.Fixed(area, "0.00")} / {Sizes.Fixed(precision, "0.00")}";
}
