"""What the reading side makes of LaTeX and of Markdown: known trees, known reasons, and nothing but `Unreadable`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("lark")

from lexigrad.derivations.reading.document import Chain, Side, chains, read
from lexigrad.derivations.reading.dots import INDEX
from lexigrad.derivations.reading.latex import NOTATIONS, condition
from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.notation import BOLD, FUNCTIONS, GREEK, MARKS, RELATIONS, UPRIGHT
from lexigrad.derivations.reading.parse import UNSAID, parse
from lexigrad.derivations.reading.raw import Unreadable, raw_tokens
from lexigrad.derivations.reading.symbols import symbols_of
from lexigrad.derivations.reading.tree import (
    Add,
    Array,
    Bars,
    Big,
    Call,
    Cases,
    Condition,
    Derivative,
    Dots,
    Indexed,
    Indicator,
    Listing,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Transpose,
    rewritten,
)

CORPUS = Path(__file__).with_name("corpus")

a, b, c, d, f, i, j, n, x, y, z = (Name(letter) for letter in "abcdfijnxyz")
J, W = Name("J"), Name("W")
one, two = Number("1"), Number("2")


def tree(source: str, symbols: Symbols | None = None) -> Node:
    return parse(raw_tokens(source), symbols or Symbols())


def at(base: Node, *indices: Node) -> Indexed:
    return Indexed(base, indices)


def equal(left: Node, right: Node) -> Condition:
    return Condition(((left, "=", right),))


def total(body: Node, lower: Node | None = None, upper: Node | None = None, asked: Condition | None = None) -> Big:
    return Big("sum", ("i",), lower, upper, asked, body)


KNOWN: dict[str, Node] = {
    # Arithmetic: products bind tighter than sums, a slash takes one factor, a fraction what is in its braces.
    r"a + b - c": Add(Add(a, b, 1), c, -1),
    r"-a b": Negative(Product(a, b, "")),
    r"2x": Product(two, x, ""),
    r"a \cdot b": Product(a, b, "dot"),
    r"a \cdot -b": Product(a, Negative(b), "dot"),
    r"a \times b": Product(a, b, "times"),
    r"a b \odot c": Product(Product(a, b, ""), c, "circle"),
    r"a / b c": Product(Quotient(a, b), c, ""),
    r"\frac{a}{b + c}": Quotient(a, Add(b, c, 1)),
    r"\frac12": Quotient(one, two),
    r"a (b + c)": Product(a, Add(b, c, 1), ""),
    r"x^2": Power(x, two),
    r"x^{2}_i": Power(at(x, i), two),
    r"n!": Call("factorial", (n,)),
    r"\sqrt{x}": Call("sqrt", (x,)),
    # Names, with what is over, below and above them.
    r"\theta": Name("theta"),
    r"\varphi": Name("phi"),
    r"\hat{y}": Name("hat y"),
    r"\tilde\mathbf{x}": Name("tilde x"),
    r"\mathcal{L}": Name("cal L"),
    r"\mathrm{loss}": Name("loss"),
    r"W_{\text{out}}": Name("W_out"),
    r"v_{out}": Name("v_out"),
    r"x'": Name("x'"),
    r"x^*": Name("x*"),
    r"W^{(1)}": Name("W^(1)"),
    r"x^{(i)}": at(x, i),
    r"x^{(i)}_j": at(x, i, j),
    r"W_{ij}": at(W, i, j),
    r"W_{i,j}": at(W, i, j),
    r"W_{12}": at(W, one, two),
    r"W_{i1}": at(W, i, one),
    r"W_{i'j}": at(W, Name("i'"), j),
    r"x_{i+1}": at(x, Add(i, one, 1)),
    r"x_{}": x,
    r"(W x)_i": at(Product(W, x, ""), i),
    r"W^T": Transpose(W),
    r"W^\top x": Product(Transpose(W), x, ""),
    r"W^{\mathsf{T}}": Transpose(W),
    r"W^{-1}": Power(W, Negative(one)),
    r"W^{-\top}": Transpose(Power(W, Negative(one))),
    # Functions.
    r"\log x": Call("log", (x,)),
    r"\log_2 x": Call("log", (x,), base=two),
    r"\log(x) y": Product(Call("log", (x,)), y, ""),
    r"\log \frac{x}{y}": Call("log", (Quotient(x, y),)),
    r"\tanh^2 x": Power(Call("tanh", (x,)), two),
    r"\tanh^2(x)": Power(Call("tanh", (x,)), two),
    r"1 - \tanh^2": Add(one, Power(Name("tanh"), two), -1),
    r"\sigma(z)": Call("sigma", (z,)),
    r"\sigma'(z)": Call("sigma", (z,), primes=1),
    r"\sigma^{\prime}(z)": Call("sigma", (z,), primes=1),
    r"\sigma": Name("sigma"),
    r"\mathrm{softmax}(z)_i": at(Call("softmax", (z,)), i),
    r"\operatorname{softmax}_i(z)": at(Call("softmax", (z,)), i),
    r"log(x)": Call("log", (x,)),
    r"e^{-z}": Call("exp", (Negative(z),)),
    r"\max(a, b)": Call("max", (a, b)),
    r"L(x)": Name("L"),
    # Sums and their ranges.
    r"\sum_{i=1}^n x_i y": total(Product(at(x, i), y, ""), one, n),
    r"\sum_i -x_i": total(Negative(at(x, i))),
    r"\sum_{i=1}^{n} x_i + y": Add(total(at(x, i), one, n), y, 1),
    r"\sum_{i \in S} x_i": total(at(x, i)),
    r"\sum_{i \in \{1, \dots, n\}} x_i": total(at(x, i), one, n),
    r"\sum_{1 \le i < n} x_i": total(at(x, i), one, Add(n, one, -1)),
    r"\sum_{0 < i \le n} x_i": total(at(x, i), Add(Number("0"), one, 1), n),
    r"\sum_{i \ne j} x_i": total(at(x, i), asked=Condition(((i, "!=", j),))),
    r"\sum_{\substack{i = 1 \\ i \ne j}}^n x_i": total(at(x, i), one, n, Condition(((i, "!=", j),))),
    r"\sum_{i, j} W_{ij}": Big("sum", ("i", "j"), None, None, None, at(W, i, j)),
    r"\max_i x_i": Big("max", ("i",), None, None, None, at(x, i)),
    r"\prod_{i=1}^n x_i": Big("product", ("i",), one, n, None, at(x, i)),
    # Dots.
    r"x_1 + x_2 + \dots + x_n": Big("sum", (INDEX,), one, n, None, at(x, Name(INDEX))),
    r"x_1 \cdots x_n": Big("product", (INDEX,), one, n, None, at(x, Name(INDEX))),
    r"2 x_1 \cdots x_n": Product(two, Big("product", (INDEX,), one, n, None, at(x, Name(INDEX))), ""),
    r"1 + 2 + \dots + n": Big("sum", (INDEX,), one, n, None, Name(INDEX)),
    r"(x_1, \dots, x_n)": Listing(INDEX, one, n, at(x, Name(INDEX))),
    r"x_1 + \dots + x_n + y_1 + \dots + y_d": Add(
        Big("sum", (INDEX,), one, n, None, at(x, Name(INDEX))),
        Big("sum", (INDEX,), one, d, None, at(y, Name(INDEX))),
        1,
    ),
    # Derivatives.
    r"\frac{\partial J}{\partial x_i}": Derivative(J, (at(x, i),)),
    r"\frac{\partial J}{\partial W^\top}": Derivative(J, (W,)),
    r"\frac{\partial^2 J}{\partial x \partial y}": Derivative(J, (x, y)),
    r"\frac{\partial^2 J}{\partial x^2}": Derivative(J, (x, x)),
    r"\frac{\partial}{\partial x} x y": Derivative(Product(x, y, ""), (x,)),
    r"\frac{\partial}{\partial x} (x + y) z": Product(Derivative(Add(x, y, 1), (x,)), z, ""),
    r"\frac{d}{dx} \log(x) z": Product(Derivative(Call("log", (x,)), (x,)), z, ""),
    r"\frac{\mathrm{d}J}{\mathrm{d}x}": Derivative(J, (x,)),
    r"\partial_x J": Derivative(J, (x,)),
    r"\partial J / \partial x": Derivative(J, (x,)),
    r"dJ/dx": Derivative(J, (x,)),
    r"\mathrm dJ / \mathrm dx": Derivative(J, (x,)),
    r"d / n": Quotient(d, n),
    r"\nabla_x J": Derivative(J, (x,), gradient=True),
    r"\nabla_x^2 J": Derivative(J, (x, x), gradient=True),
    r"\nabla (x y)": Derivative(Product(x, y, ""), (Name(UNSAID),), gradient=True),
    r"(x^2)'": Derivative(Power(x, two), (x,)),
    # Brackets.
    r"|x|": Bars(x, double=False),
    r"|x| |y|": Product(Bars(x, double=False), Bars(y, double=False), ""),
    r"\|x\|_2": Bars(x, double=True, kind="2"),
    r"\lVert x \rVert^2": Power(Bars(x, double=True), two),
    r"\left\langle x, y \right\rangle": Product(x, y, "dot"),
    r"[i = j]": Indicator(equal(i, j)),
    r"\mathbb{1}[i = j]": Indicator(equal(i, j)),
    r"\mathbb{1}_{i = j}": Indicator(equal(i, j)),
    r"1\{i = j\}": Indicator(equal(i, j)),
    r"\delta_{ij}": Indicator(equal(i, j)),
    r"\mathbf{1}": Name("ones"),
    r"\underbrace{x}_{\text{error}} y": Product(x, y, ""),
    r"\boxed{x} y": Product(x, y, ""),
    # Environments.
    r"\begin{cases} x & \text{if } x > 0, \\ 0 & \text{otherwise} \end{cases}": Cases(
        ((x, Condition(((x, ">", Number("0")),))), (Number("0"), Condition((), otherwise=True)))
    ),
    r"\begin{cases} x \text{ for } i = j \\ 0 \text{ else} \end{cases}": Cases(
        ((x, equal(i, j)), (Number("0"), Condition((), otherwise=True)))
    ),
    r"\begin{pmatrix} a \\ b \end{pmatrix}": Array(((a,), (b,)), column=True),
    r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}": Array(((a, b), (c, d))),
    r"\begin{pmatrix} a & b \end{pmatrix}^T": Transpose(Array(((a, b),))),
    r"\begin{split} a \\ &+ b \end{split}": Add(a, b, 1),
    # Unicode.
    "ŷ_i": at(Name("hat y"), i),
    "θ": Name("theta"),
    "λ": Name("lambda"),
    "Σ": Name("Sigma"),
    "∑_{i=1}^n x_i": total(at(x, i), one, n),
    "\\frac{∂J}{∂θ}": Derivative(J, (Name("theta"),)),
    "x² − y₁": Add(Power(x, two), at(y, one), -1),
    "Wᵀ·x": Product(Transpose(W), x, "dot"),
    # What is only about looks.
    r"\displaystyle a \, b \left( c \right) \label{eq:1} \color{red}": Product(Product(a, b, ""), c, ""),
    "a % a remark\n+ b": Add(a, b, 1),
}


@pytest.mark.parametrize("source", KNOWN)
def test_known_trees(source: str) -> None:
    assert plain(tree(source)) == KNOWN[source]


def plain(node: Node) -> Node:
    """Return a tree whose calls are calls, whether their arguments stand in parentheses or not."""

    def change(part: Node) -> Node | None:
        if isinstance(part, Call) and type(part) is not Call:
            return Call(part.function, tuple(plain(argument) for argument in part.arguments), part.primes, part.base)
        return None

    return rewritten(node, change)


UNREADABLE = {
    r"": "a side is empty",
    r"a +": "the formula ends too early",
    r"(a": r"the formula ends too early",
    r"a)": "a parenthesis that nothing opens",
    r",": "a comma in an unexpected place",
    r"a \odot": "the formula ends too early",
    r"a = b": "'=' inside a formula",
    r"x . y": "'.' inside a formula",
    r"\frac{a": "'{' has no '}'",
    r"\frac{a}": "an argument is missing at the end",
    r"\begin{cases} a": r"\\begin has no \\end",
    r"\begin cases": "expected a group in braces",
    r"\unknown": r"'\\\\unknown'",
    r"\infty": "infinity",
    r"\mathbb{R}": r"\\mathbb\{R\} as a quantity",
    r"\sqrt[3]{x}": "roots other than the square root",
    r"\sin^{-1} x": "the inverse function, or 1 over it",
    r"\log x y": "how far does log reach",
    r"\log^2 \sum_i x_i": "how far does log reach",
    r"\mathrm{softmax}_i x": "softmax with an index, and without parentheses",
    r"x_{1:n}": "slices of an array",
    r"(a + b)_{\text{out}}": "the index 'out'",
    r"x_{'i}": '"\'"',
    r"\hat{xy}": "hat over more than one letter",
    r"2'": "behind something other than a name",
    r"\langle x, y, z \rangle": "something other than two vectors",
    r"\partial": "without a variable",
    r"dJ / \partial x": "without a variable",
    r"\frac{\partial^2 J}{\partial x}": "a derivative of order 2 by 1 variables",
    r"\frac{d^2 J}{dx dy}": "by several variables that is written with d",
    r"\nabla^3 J": "a power of nabla other than 2",
    r"\sum_{i = 1, 2, 3} x_i": "a range that is not of the form",
    r"\sum_{2 = i} x_i": "a range that does not begin with an index",
    r"\sum_{x_1 \in S} x": "a range over something other than an index",
    r"\sum_{i \in \{1, 2\}} x": "a sum over a set of written elements",
    r"\begin{cases} x \end{cases}": "a case without a condition",
    r"\begin{cases} x & y \end{cases}": "a condition without a comparison",
    r"\dots": "dots stand for terms that are not written out",
    r"\dots + x_n": "dots without a first and a last term",
    r"x_1 + \dots + y_n": "not of the first one's form",
    r"x_1 + x_3 + \dots + x_n": "not of the first one's form",
    r"1 + 2 + 4 + \dots + 2^n": "not of the first one's form",
    r"(x_1, \dots, y_n)": "not of the first one's form",
    r"\sqrt{" * 2000 + "x" + "}" * 2000: "too many brackets inside each other",
    r"\max(\dots)": "not of the first one's form",
}


@pytest.mark.parametrize("source", UNREADABLE, ids=lambda source: source[:40])
def test_unreadable_with_its_reason(source: str) -> None:
    with pytest.raises(Unreadable, match=UNREADABLE[source]):
        tree(source)


def test_what_a_document_says_changes_the_reading() -> None:
    assert tree("f(x)") == Product(f, x, "")
    assert tree("f(x)", Symbols(functions={"f": 1})) == Call("f", (x,))
    assert tree("f_1(x)", Symbols(functions={"f_1": 1})) == Call("f_1", (x,))
    assert tree("f_i(x)", Symbols(functions={"f": 1})) == at(Call("f", (x,)), i)
    assert tree("f_i(x)^{(1 + 1)}", Symbols(functions={"f": 1})) == Power(at(Call("f", (x,)), i), Add(one, one, 1))
    assert tree("x (1 - x)", Symbols(functions={"x": 1})) == Product(x, Add(one, x, -1), "")
    assert tree(r"p(y \mid x)", Symbols(events={"p"})) == Name("p(y | x)")
    assert tree("W^T", Symbols(t_is_number=True)) == Power(W, Name("T"))
    assert tree("S(x)", Symbols(aliases={"S": "softmax"})) == Call("softmax", (x,))
    assert tree("h^{(s)}") == Name("h^(s)")
    assert tree("h^{(s)}", Symbols(bound={"s"})) == at(Name("h"), Name("s"))
    assert tree("e^{(t)}", Symbols(counted={"(t)"})) == Name("e^(t)")
    assert tree("CE(x, y)", Symbols(words={"CE"}, functions={"CE": 2})) == Call("CE", (x, y))
    assert tree(r"\delta_{ij}", Symbols(defined_delta=True)) == at(Name("delta"), i, j)
    symbols = Symbols()
    tree(r"\mathbf{W} \mathbf{x}", symbols)
    assert symbols.vectors == {"W": 2, "x": 1}


def test_conditions() -> None:
    assert condition(raw_tokens(r"(i \ne j, x > 0)"), Symbols()) == Condition(((i, "!=", j), (x, ">", Number("0"))))
    assert condition(raw_tokens(r"0 < x \le 1"), Symbols()) == Condition(((Number("0"), "<", x), (x, "<=", one)))
    assert condition(raw_tokens(r"\text{if } i = j \text{ and } x > y."), Symbols()) == Condition(
        ((i, "=", j), (x, ">", y))
    )
    assert condition(raw_tokens(r"\text{otherwise}"), Symbols()).otherwise


def test_vocabularies_do_not_overlap() -> None:
    kinds = [set(MARKS), BOLD, UPRIGHT, {f"\\{letter}" for letter in GREEK}, set(RELATIONS), set(NOTATIONS)]
    for place, kind in enumerate(kinds):
        for other in kinds[place + 1 :]:
            assert not kind & other
    assert all(word == word.lower() for word in FUNCTIONS)


# Markdown.


def in_text(text: str) -> list[Chain]:
    return [chain for formula in read(text).formulas for chain in chains(formula)]


def shown(chain: Chain) -> tuple[list[str], tuple[str, ...], tuple[int, ...]]:
    return [side.text for side in chain.sides], chain.relations, chain.lines


def test_formulas_of_every_kind_and_their_lines() -> None:
    text = (
        "Let $a = b$ and \\(c = d\\).\n\n$$\nx = y\n$$\n\n\\[ n = 1 \\]\n\n```math\ni = j\n```\n\n"
        "\\begin{align*}\nf &= a \\\\\n  &= b\n\\end{align*}\n"
    )
    formulas = read(text).formulas
    assert [formula.display for formula in formulas] == [False, False, True, True, True, True]
    assert [shown(chain) for chain in in_text(text)] == [
        (["a", "b"], ("=",), (1,)),
        (["c", "d"], ("=",), (1,)),
        (["x", "y"], ("=",), (4,)),
        (["n", "1"], ("=",), (7,)),
        (["i", "j"], ("=",), (10,)),
        (["f", "a", "b"], ("=", "="), (14, 15)),
    ]


def test_code_and_comments_are_no_formulas() -> None:
    text = "`$a = b$` and $c = d$ <!-- $x = y$ -->\n\n```python\n$i = j$\n```\n\n~~~\n$$ n = 1 $$\n~~~\n\nIt costs \\$5 = \\$4.\n"
    assert [shown(chain) for chain in in_text(text)] == [(["c", "d"], ("=",), (1,))]


def test_prose_around_formulas() -> None:
    one_, two_ = read("# A\n\nFor $x$ we\nhave $y$ here.\n\nThen\n\n# B\n\n$z$\n").formulas[1:]
    assert (one_.section, one_.before, one_.after) == (1, "For $x$ we\nhave ", " here.\n\n")
    assert (two_.section, two_.before, two_.lead) == (2, "", "# B\n\n")
    assert read("# A\ntext\n# B\n").sections == ["", "# A\ntext\n", "# B\n"]
    assert read("").formulas == []


SEPARATED = {
    r"a = b, c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = b \Rightarrow c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = b \quad c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = b \text{ and } c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = b \text{where} c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = x_\text{out}": [(["a", r"x_\text{out}"], ("=",))],
    r"a = f(b, c)": [(["a", "f(b, c)"], ("=",))],
    r"a = b \le c \approx d": [(["a", "b", "c", "d"], ("=", r"\le", r"\approx"))],
    r"a := b": [(["a", "b"], (":=",))],
    r"a \equiv b": [(["a", "b"], (":=",))],
    r"a \stackrel{\text{def}}{=} b": [(["a", "b"], (":=",))],
    r"a \overset{(1)}{=} b": [(["a", "b"], ("=",))],
    r"a = b \\ c = d": [(["a", "b"], ("=",)), (["c", "d"], ("=",))],
    r"a = b \\ = c": [(["a", "b", "c"], ("=", "="))],
    r"a = b \\ + c": [(["a", "b + c"], ("=",))],
    r"a = b + \\ c": [(["a", "b + c"], ("=",))],
    r"\begin{array}{rl} a &= b \\ &= c \end{array}": [(["a", "b", "c"], ("=", "="))],
    r"\begin{alignedat}{2} a \end{alignedat}": [([r"\begin{alignedat}{2} a \end{alignedat}"], ())],
    r"\sum_{i=1}^n x": [([r"\sum_{i=1}^n x"], ())],
    r"x \in S": [([r"x \in S"], ())],
    "a = b % = c\n = d .": [(["a", "b", "d"], ("=", "="))],
    r"a \stackrel": [([r"a \stackrel"], ())],
}


@pytest.mark.parametrize("source", SEPARATED)
def test_chains_of_a_formula(source: str) -> None:
    assert [shown(chain)[:2] for chain in in_text(f"$${source}$$")] == SEPARATED[source]


def test_columns_of_an_environment_are_no_formula() -> None:
    (chain,) = in_text("\\begin{alignat}{2}\na &= b\n\\end{alignat}\n")
    assert shown(chain) == (["a", "b"], ("=",), (2,))


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (r"a = b \quad (i \ne j)", r"(i\nej)"),
        (r"a = b, \quad i \in S", r"i\inS"),
        (r"a = b, \ \forall i", r"\foralli"),
        (r"a = b, \quad (i = 1, \dots, n)", r"(i=1,\dots,n)"),
        (r"a = b, \quad n > 0", "n>0"),
    ],
)
def test_conditions_behind_a_chain(source: str, where: str) -> None:
    (chain,) = in_text(f"$${source}$$")
    assert shown(chain)[0] == ["a", "b"]
    assert "".join(token.text for token in chain.where) == where


def test_a_first_look_at_a_document() -> None:
    text = (
        "Let $f(x) = x^2$, $CE(y, p) = \\sum_i y_i$ and $J_{\\text{neg}}(v) = v$; $p(y \\mid x) = h^{(t)}$.\n"
        "$S$ is the softmax, and $\\delta_{ij} = a_i b_j$. Then $g'(x) = \\sum_{t=1}^T x_t$ and $p(o \\mid c) = a = b$. $\\label{$\n"
    )
    symbols = symbols_of(read(text))
    assert symbols.functions == {"f": 1, "CE": 2, "J_neg": 1, "g": 1}
    assert symbols.events == {"p"}
    assert symbols.words == {"CE"}
    assert symbols.bound == {"i", "t"}
    assert symbols.counted == {"(t)"}
    assert symbols.aliases == {"S": "softmax"}
    assert symbols.defined_delta
    assert symbols.t_is_number
    assert not symbols_of(read(r"$W^T x^{\mathsf{T}}$")).t_is_number
    assert not symbols_of(read(r"$\delta_{ij} = 1$")).defined_delta


def test_a_definition_over_indices_makes_a_function_of_a_probability() -> None:
    assert symbols_of(read(r"$p(o \mid c) = \exp(u_o v_c)$")).functions == {"p": 2}
    assert symbols_of(read(r"$p(o \mid c) = x y$")).functions == {}


# Whatever is written, the reading side reads it or says why not.

FRAGMENTS = [
    "{", "}", "$", "\\", "^", "_", "(", ")", "[", "]", "|", "&", "'", "=", ",", ".", ":", "!", "% ", "12", "ŷ", "\\ŷ", "²", "≤", "\\frac", "\\sum_",
    "\\partial", "\\nabla", "\\left", "\\mathbf", "\\mathrm{T}", "\\hat", "\\text{", "\\sqrt", "\\begin{cases}", "\\end{aligned}", "\\\\", "\\mid",
    "\\|", "\\log", "\\max", "dx/dt", "\\in", "\\dots", "\\mathbb{1}", "1\\{", "\\langle", "\\underbrace", "\\quad", "\\stackrel{def}", "\\label{",
    "^{-1}", "_{ij}", "_{'", "e^", "f(", "\\substack{", "^*", "^{(t)}", "\\operatorname*{",
]  # fmt: skip
MUTATIONS, SECONDS, LONGEST = 2000, 8.0, 400


def mutated(texts: list[str], rng: random.Random) -> str:
    """Return a part of one of the texts with characters lost, moved and put in."""
    text = rng.choice(texts)
    start = rng.randrange(max(1, len(text) - LONGEST))
    text = text[start : start + LONGEST]
    for _ in range(rng.randint(1, 6)):
        place, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        lost = rng.choice((0, 0, rng.randint(1, 6)))
        put = rng.choice(("", text[other : other + rng.randint(1, 9)], rng.choice(FRAGMENTS)))
        text = text[:place] + put + text[place + lost :]
    return text


def outcome(side: Side, symbols: Symbols) -> Node | str:
    """Return the tree of a side, or the reason why it has none."""
    try:
        return parse(side.tokens, symbols)
    except Unreadable as error:
        return str(error)


def read_all(text: str) -> Iterator[Node | str]:
    """Read all sides of a text as far as they can be read."""
    document = read(text)
    symbols = symbols_of(document)
    for formula in document.formulas:
        found: list[Chain] = []
        with suppress(Unreadable):
            found = list(chains(formula))
        for chain in found:
            assert len(chain.sides) == len(chain.relations) + 1 == len(chain.lines) + 1
            for side in chain.sides:
                assert all(before.start <= after.start for before, after in pairwise(side.tokens))
                yield outcome(side, symbols)


def test_mutated_texts_are_read_or_unreadable() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.rglob("*.md"))]
    assert len(texts) > 50
    rng = random.Random(5)
    end = time.process_time() + SECONDS
    count = trees = reasons = 0
    while count < MUTATIONS and time.process_time() < end:
        count += 1
        for found in read_all(mutated(texts, rng)):
            if isinstance(found, str):
                assert found
                reasons += 1
            else:
                assert not any(isinstance(part, Dots) for part in found.walk())
                trees += 1
    assert trees > reasons > 0


def test_the_corpus_is_read() -> None:
    """Sides of the corpus that are unreadable are few: it is written to be judged."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.rglob("*.md"))]
    found = [one_ for text in texts for one_ in read_all(text)]
    assert len(found) > 700
    assert sum(isinstance(one_, str) for one_ in found) < 0.1 * len(found)
