namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>A cubic curve from a writer's top to a reader's bottom.</summary>
internal readonly record struct EdgeCurve(
    double X0, double Y0, double ControlX0, double ControlY0, double ControlX1, double ControlY1, double X1, double Y1);
