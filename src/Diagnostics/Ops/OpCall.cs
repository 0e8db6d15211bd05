using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>Draws operands and says what is called with them; nothing is called yet.</summary>
/// <param name="x">Draws.</param>
/// <returns>The call, a single method of the device, whose arguments can be read.</returns>
internal delegate Expression<Action<Device>> OpCall(OpOperands x);
