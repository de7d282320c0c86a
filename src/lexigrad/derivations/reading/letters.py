"""What letters mean in a document, as far as reading depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field

COSTS = {"J", "L", "cal L", "ell", "E", "C", "cal J", "R", "loss", "H", "cal E", "F", "U"}
"""Letters after which (x) says what they depend on."""

CUSTOMARY_FUNCTIONS = {"f", "g", "phi", "psi", "varphi", "h", "q", "s"}
"""Letters that name a function where they are always followed by parentheses."""


@dataclass
class Symbols:
    """What a first look at a document says about its letters."""

    functions: dict[str, int] = field(default_factory=dict)
    """Functions that the text defines or differentiates, and how many arguments they take."""
    events: set[str] = field(default_factory=set)
    """Letters of probabilities: p(y | x)."""
    words: set[str] = field(default_factory=set)
    """Names of several letters that are written without a command around them."""
    vectors: dict[str, int] = field(default_factory=dict)
    """Names in bold: 1 for small letters, 2 for capitals. Reading adds to them."""
    bound: set[str] = field(default_factory=set)
    """Letters over which something is summed."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Letters for known functions: "S is the softmax"."""
    counted: set[str] = field(default_factory=set)
    """What stands in parentheses above names: (t)."""
    t_is_number: bool = False
    """Whether T stands for something by itself, so that it does not transpose."""
    e_is_name: bool = False
    """Whether the text gives e a meaning of its own."""
    basis: bool = False
    """Whether e_i is a vector of the standard basis."""
    defined_delta: bool = False
    """Whether delta_ij is a quantity of the text rather than Kronecker's."""
    not_identity: bool = False
    """Whether I is a matrix like any other."""
