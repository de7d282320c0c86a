"""A first look at a document: which letters are functions, which words are names, where a bar means "given"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise

from lexigrad.derivations.reading.cursor import Cursor
from lexigrad.derivations.reading.document import Document, chains
from lexigrad.derivations.reading.letters import CUSTOMARY_FUNCTIONS, Symbols
from lexigrad.derivations.reading.notation import FUNCTIONS, is_letter, plain_word, written
from lexigrad.derivations.reading.raw import Raw, Unreadable, closing, raw_tokens, split
from lexigrad.derivations.reading.reader import Reader
from lexigrad.derivations.reading.scripts import subscript
from lexigrad.derivations.reading.tree import Number
from lexigrad.derivations.reading.words import take_name

NAME = re.compile(r"\\[A-Za-z]+|[A-Za-z]")
COUNTED = re.compile(r"[A-Za-df-z}]\s*\^\s*\{?(\(\w[^(){}]*\))\}?")
"""What stands in parentheses above a name other than e: h^{(t)}."""

BOUND = re.compile(r"\\(?:sum|prod|max|min)(?:\\limits)?\s*_\s*\{?\s*([a-z])")
UPPER_BOUND_T = re.compile(r"\\(?:sum|prod)(?:_\{[^{}]*\}|_\w)\^\{?T")
TRANSPOSED = re.compile(r"\^\s*(?:\{\s*(?:\\math\w+\s*)?\{?T\}?\s*\}|\\math\w+\s*\{?T\}?|T)")
LETTER_T = re.compile(r"(?<![A-Za-z\\])T(?![A-Za-z])")
ABBREVIATION = re.compile(r"(?<![A-Za-z\\{])([A-Z]{2,5}|[A-Z][a-z]{2,}[A-Z]?\w*)(?=\s*(?:\\left)?\s*\()")
"""A word in capitals, or that begins with one, before parentheses: CE(y, p)."""

SMALL_WORD = re.compile(r"(?<![A-Za-z\\{])([a-z]{4,})(?=\s*(?:\\left)?\()")
EVENT = re.compile(r"(?<![A-Za-z\\])(p|P|Pr|\\Pr|q|Q)\s*(?:\\left)?\(([^()]*)\)")
GIVEN = re.compile(r"\\mid|\||=")
KRONECKER = re.compile(r"\\delta\s*_\s*\{?\s*[a-z]\s*,?\s*[a-z]\s*\}?")
KRONECKER_VALUE = re.compile(r"cases|mathbb|mathbf|^\s*[01]")
"""What Kronecker's delta is said to be, where a text says so."""

KINDS = {
    "softmax": "softmax", "sigmoid": "sigma", "logistic": "sigma", "tanh": "tanh", "hyperbolic tangent": "tanh", "relu": "relu", "rectifier": "relu",
    "softplus": "softplus", "logit": "logit", "log-sum-exp": "logsumexp", "logsumexp": "logsumexp", "natural logarithm": "log",
}  # fmt: skip
"""Functions as prose names them."""

ALIAS = re.compile(
    r"\$\s*(\\?[A-Za-z]+)(?:\([^$()]*\))?\s*\$,? (?:is|denotes|being|stands for|for|means|be|as)(?: always)? (?:the )?"
    r"(?:usual |row-?wise |element-?wise |standard |ordinary )*("
    + "|".join(sorted(KINDS, key=len, reverse=True))
    + r")",
    re.IGNORECASE,
)
BASIS = re.compile(r"(?:unit|basis|canonical|coordinate) vectors?", re.IGNORECASE)
DEFINED = r"\s*(?:\([^()]*\))?\s*(?::=|=)"
"""What stands behind a name that a formula defines."""


def symbols_of(document: Document) -> Symbols:
    """Return what letters mean in a document."""
    symbols = Symbols()
    for note in STEPS:
        note(document, symbols)
    return symbols


def _sources(document: Document) -> Iterator[str]:
    return (formula.source for formula in document.formulas)


# What the spelling of formulas says.


def _note_words(document: Document, symbols: Symbols) -> None:
    """Note words that stand before parentheses without a command around them."""
    for source in _sources(document):
        symbols.words |= set(ABBREVIATION.findall(source))
        symbols.words |= set(SMALL_WORD.findall(source)) - set(FUNCTIONS)


def _note_scripts(document: Document, symbols: Symbols) -> None:
    """Note what counts names, over what is summed, and whether T is a number."""
    for source in _sources(document):
        symbols.counted |= set(COUNTED.findall(source))
        symbols.bound |= set(BOUND.findall(source))
        symbols.t_is_number |= bool(LETTER_T.search(TRANSPOSED.sub("", UPPER_BOUND_T.sub("T", source))))


def _note_events(document: Document, symbols: Symbols) -> None:
    """Note letters of probabilities: p(y | x), P(y = 1)."""
    for source in _sources(document):
        symbols.events |= {letter.lstrip("\\") for letter, inside in EVENT.findall(source) if GIVEN.search(inside)}


def _note_aliases(document: Document, symbols: Symbols) -> None:
    """Note letters for known functions that no formula defines: "where $S$ is the softmax function"."""
    prose = " ".join(" ".join(document.sections).split())
    for name, kind in ALIAS.findall(prose):
        if not any(re.search(re.escape(name) + DEFINED, source) for source in _sources(document)):
            symbols.aliases[name.lstrip("\\")] = KINDS[kind.lower()]
    symbols.basis = bool(BASIS.search(prose))


# What formulas define.


def _note_definitions(document: Document, symbols: Symbols) -> None:
    """Note the functions that formulas define, and whether e and Kronecker's delta are given another meaning."""
    for formula in document.formulas:
        with suppress(Unreadable):
            for chain in chains(formula):
                for place, (side, following) in enumerate(pairwise(chain.sides)):
                    left, right = list(side.tokens), list(following.tokens)
                    if not place or _is_event(left, symbols):
                        _note_function(left, right, symbols)
                if chain.relations and chain.sides[0].text == "e":
                    symbols.e_is_name = True
                if (
                    chain.relations
                    and KRONECKER.fullmatch(chain.sides[0].text)
                    and not KRONECKER_VALUE.search(chain.sides[1].text)
                ):
                    symbols.defined_delta = True


def _is_event(side: list[Raw], symbols: Symbols) -> bool:
    """Tell whether a side begins with p(o | c), which what follows in the chain may define over indices."""
    return len(side) > 3 and side[0].text in symbols.events and side[1].text == "("


def _note_function(left: list[Raw], right: list[Raw], symbols: Symbols) -> None:
    """Note the function that f(x) = ... defines, if it does."""
    reader = Reader(left, symbols)
    try:
        name, word, _ = take_name(reader)
    except Unreadable:
        return
    if reader.text() == "_":
        reader.at += 1
        name = _labelled(name, reader)
    if reader.text() != "(":
        return
    inside = reader.bracketed()
    if name in symbols.events and not _over_indices(inside, right):
        return
    if not reader.ended and not _is_index(reader.rest()):
        return
    arguments = [part for _, part in split(inside, {",", ";", "\\|", "\\Vert", "|", "\\mid"})]
    if not all(_is_name(argument, symbols) for argument in arguments):
        return
    plain = plain_word(word or name)
    known = name == "sigma" or plain in FUNCTIONS or name in FUNCTIONS.values()
    if known and (len(arguments) == 1 or plain in ("max", "min")):
        return
    symbols.functions.setdefault(name, len(arguments))
    symbols.events.discard(name)


def _labelled(name: str, reader: Reader) -> str:
    """Take what stands below a name; return the name with it if it tells functions apart: J_neg(v), f_1(x)."""
    label, index = subscript(reader.argument(), reader.symbols)
    if len(index) == 1 and isinstance(index[0], Number):
        label = index[0].text
    return f"{name}_{label}" if label and reader.text() == "(" else name


def _over_indices(arguments: list[Raw], right: list[Raw]) -> bool:
    """Tell whether one of the arguments is an index in the definition: p(o | c) = exp(u_o . v_c) / ..."""
    letters = {token.text for token in arguments if is_letter(token.text)}
    return any(one.text == "_" and two.text in letters for one, two in pairwise(right))


def _is_index(tokens: list[Raw]) -> bool:
    """Tell whether tokens are an index and nothing more."""
    if tokens[0].text != "_":
        return False
    return len(tokens) == 2 or (len(tokens) > 2 and tokens[1].text == "{" and closing(tokens, 1) == len(tokens) - 1)


def _is_name(tokens: list[Raw], symbols: Symbols) -> bool:
    """Tell whether tokens are one name, perhaps with scripts."""
    reader = Reader(tokens, symbols)
    try:
        take_name(reader)
        while reader.text() in ("_", "^", "'"):
            script = reader.text()
            reader.at += 1
            if script != "'":
                reader.argument()
    except Unreadable:
        return False
    return reader.ended


# What formulas use as functions.


def _note_customary(document: Document, symbols: Symbols) -> None:
    """Note f'(x), and f(...) where f never stands alone."""
    formulas = []
    for source in _sources(document):
        with suppress(Unreadable):
            formulas.append(raw_tokens(source))
    bare = {name for tokens in formulas for name in _bare(tokens)}
    for tokens in formulas:
        with suppress(Unreadable):
            for place, token in enumerate(tokens):
                if NAME.fullmatch(token.text):
                    _note_use(Cursor(tokens, place), symbols, bare)


def _bare(tokens: list[Raw]) -> Iterator[str]:
    """Yield letters that stand without parentheses behind them."""
    for token, following in pairwise([*tokens, Raw("", 0, 0)]):
        if NAME.fullmatch(token.text) and following.text not in ("(", "'"):
            yield token.text.lstrip("\\")


def _note_use(cursor: Cursor, symbols: Symbols, bare: set[str]) -> None:
    """Note the letter that stands here if it is followed by primes or parentheses as a function is."""
    letter = cursor.text().lstrip("\\").removeprefix("var")
    if letter in FUNCTIONS or letter == "sigma":
        return
    cursor.at += 1
    name = letter
    if cursor.text() == "_" and (cursor.text(1).isdigit() or cursor.text(1) == "{"):
        cursor.at += 1
        name = f"{letter}_{written(cursor.argument())}"
    primed = cursor.text() == "'"
    while cursor.text() == "'":
        cursor.at += 1
    if cursor.text() != "(" or name in symbols.events:
        return
    plain = _is_name(cursor.inside(), symbols)
    customary = letter in CUSTOMARY_FUNCTIONS | {"F", "G"}
    lonely = name not in bare or name in ("f", "g", "F", "G")
    if (primed and (plain or customary)) or (customary and lonely and (name == letter or plain)):
        symbols.functions.setdefault(name, 1)


STEPS: tuple[Callable[[Document, Symbols], None], ...] = (
    _note_words,
    _note_scripts,
    _note_events,
    _note_aliases,
    _note_definitions,
    _note_customary,
)
"""The passes over a document; definitions need what the others found, and what is used comes after what is defined."""
