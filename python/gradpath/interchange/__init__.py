"""Other libraries' graphs, weights, names and folders. None of these libraries is imported before it is asked for.

* :mod:`.eap_ig`: the EAP-IG library's ``Graph``, both ways.
* :mod:`.transformer_lens`: weights of TransformerLens models.
* :mod:`.names`: edges as ACDC and auto-circuit call them, both ways.
* :mod:`.mib`: folders as the circuit track of the MIB benchmark takes them.
"""

from . import eap_ig, mib, names, transformer_lens

__all__ = ["eap_ig", "mib", "names", "transformer_lens"]
