using System.Text;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Fuzz.Tests;

/// <summary>CSV files that a report takes.</summary>
internal static class ReportReaders
{
    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        Of("path-csv", path => ReportCsv.ReadEmbeddingPaths(path), """
            method,item,step,metric,gradient_norm,output_distance,distance_from_clean,distance_from_corrupted,start
            eap-gp,0,1,1.5,0.25,-1E-05,0,3,clean
            "eap, gp",1,2,-2.5,0,4,1,2,
            """),
        Of("curve-csv", path => ReportCsv.ReadCurves(path), """
            method,fraction,edges,edges_after_prune,faithfulness,low,high,ranking
            eap,0.01,10,8,0.5,0.25,0.75,absolute
            eap,0.02,20,16,0.5,,,signed
            "a, b",1,30,24,1,0.5,1.5,absolute
            """),
        Of("training-csv", path => ReportCsv.ReadTraining(path), $"""
            {string.Join(',', TrainingCsv.Columns)}
            edge-pruning,1,0.5,0.25,0,0.1,0.05,0,0
            edge-pruning,2,0.4,0.2,0,0.2,0.15,0,0
            """),
    ];

    private static FuzzReader Of(string name, Action<string> read, string sample) =>
        new(name, "data.csv", _ => new FuzzTarget([Encoding.UTF8.GetBytes(sample + "\n")], read));
}
