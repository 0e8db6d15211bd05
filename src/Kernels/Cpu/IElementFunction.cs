using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>An activation function and its derivative, for a vector of elements and for one.</summary>
internal interface IElementFunction
{
    /// <summary>Sixteen elements.</summary>
    /// <param name="x">Where.</param>
    /// <param name="value">f(x).</param>
    /// <param name="slope">f'(x).</param>
    static abstract void At(Vector512<float> x, out Vector512<float> value, out Vector512<float> slope);

    /// <summary>One element, for processors without vectors.</summary>
    /// <param name="x">Where.</param>
    static abstract (float Value, float Slope) At(float x);
}
