namespace Gradpath.Kernels;

// Activation: the MLP's elementwise function, its derivative and its ratio to what it reads.
public abstract partial class Device
{
    /// <summary>output = f(x), and x becomes f'(x), which is all that the backward pass needs.</summary>
    /// <param name="function">The function.</param>
    /// <param name="x">In: the pre-activation. Out: the derivative there.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="output">At least as many elements; must not overlap x.</param>
    internal void Activate(ActivationFunction function, Tensor x, long length, Tensor output)
    {
        AtLeast(0, (long)function);
        AtMost((long)ActivationFunction.Tanh, (long)function);
        AtLeast(0, length);
        Need(x, length);
        Need(output, length);
        Apart(output, length, x, length);
        if (!Begins(nameof(Activate))) return;
        ActivateCore(function, x, length, output);
        Ended();
    }

    /// <summary>x = y / x, element by element, and a given value where x is 0: a function's ratio f(x) / x.</summary>
    /// <param name="x">In: what the function read. Out: the ratio.</param>
    /// <param name="y">The function's values, at least as many elements; must not overlap x.</param>
    /// <param name="atZero">The ratio where x is 0, such as the limit there.</param>
    /// <param name="length">Number of elements.</param>
    internal void Ratios(Tensor x, Tensor y, float atZero, long length)
    {
        AtLeast(0, length);
        Need(x, length);
        Need(y, length);
        Apart(x, length, y, length);
        if (!Begins(nameof(Ratios))) return;
        RatiosCore(x, y, atZero, length);
        Ended();
    }

    /// <summary>gradient[r] *= derivative[r mod activationRows].</summary>
    /// <param name="gradient">[rows, width], changed in place.</param>
    /// <param name="derivative">[activationRows, width]; must not overlap the gradient.</param>
    /// <param name="rows">Gradient rows.</param>
    /// <param name="activationRows">Rows of the forward pass.</param>
    /// <param name="width">Width of a row.</param>
    internal void MultiplyRows(Tensor gradient, Tensor derivative, int rows, int activationRows, int width)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, activationRows);
        AtLeast(1, width);
        Need(gradient, Size(rows, width));
        Need(derivative, Size(activationRows, width));
        Apart(gradient, Size(rows, width), derivative, Size(activationRows, width));
        if (!Begins(nameof(MultiplyRows))) return;
        MultiplyRowsCore(gradient, derivative, rows, activationRows, width);
        Ended();
    }

    /// <inheritdoc cref="Activate" />
    private protected abstract void ActivateCore(ActivationFunction function, Tensor x, long length, Tensor output);

    /// <inheritdoc cref="Ratios" />
    private protected abstract void RatiosCore(Tensor x, Tensor y, float atZero, long length);

    /// <inheritdoc cref="MultiplyRows" />
    private protected abstract void MultiplyRowsCore(Tensor gradient, Tensor derivative, int rows, int activationRows, int width);
}
