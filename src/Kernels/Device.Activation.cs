namespace Gradpath.Kernels;

/// <summary>An elementwise activation function.</summary>
public enum ActivationFunction
{
    /// <summary>x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</summary>
    GeluTanh,

    /// <summary>x/2 (1 + erf(x / sqrt 2)).</summary>
    GeluErf,

    /// <summary>max(0, x); derivative 0 at 0.</summary>
    Relu,
}

// Activation: the MLP's elementwise function and its derivative.
public abstract partial class Device
{
    /// <summary>output = f(x), and x becomes f'(x), which is all that the backward pass needs.</summary>
    /// <param name="function">The function.</param>
    /// <param name="x">In: the pre-activation. Out: the derivative there.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="output">At least as many elements; must not be x.</param>
    public abstract void Activate(ActivationFunction function, Tensor x, long length, Tensor output);

    /// <summary>gradient[r] *= derivative[r mod activationRows].</summary>
    /// <param name="gradient">[rows, width], changed in place.</param>
    /// <param name="derivative">[activationRows, width].</param>
    /// <param name="rows">Gradient rows.</param>
    /// <param name="activationRows">Rows of the forward pass.</param>
    /// <param name="width">Width of a row.</param>
    public abstract void MultiplyRows(Tensor gradient, Tensor derivative, int rows, int activationRows, int width);
}
