"""Which names a formula mentions, and on which it depends through definitions."""

from __future__ import annotations

from lexigrad.derivations.judging.names import joined, mentioned
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.tree import Call, Indexed, Name, Node, Number


def dependencies(scene: Scene, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return all names that a name depends on by definitions."""
    definition = scene.facts.definition(name)
    if definition is None or name in seen:
        return set()
    found: set[str] = set()
    for part in names_in(definition.value, scene):
        found |= {part} | dependencies(scene, part, seen | {name})
    return found


def depends(scene: Scene, node: Node, on: str) -> bool:
    """Tell whether a formula depends on a name."""
    below: set[str] = set()
    for name in names_in(node, scene):
        below |= {name} | dependencies(scene, name)
        if scene.facts.definition(name) is None and name in scene.facts.usage.denominators:
            for variable in scene.facts.usage.denominators[name]:
                base = base_of(resolved(variable, scene))
                if isinstance(base, Name):
                    below |= {base.name} | dependencies(scene, base.name)
    related = {on, on.lower(), on.upper()} if len(on) == 1 else {on}
    return bool(below & related)


def resolved(node: Node, scene: Scene) -> Node:
    """Return a name with its labels joined to it: W_1 is one name, x_i is not."""
    if not (isinstance(node, Indexed) and isinstance(node.base, Name)):
        return node
    return joined(node, scene.facts.usage)


def base_of(node: Node) -> Node:
    """Return x of x_i, and x of x."""
    return node.base if isinstance(node, Indexed) else node


def names_in(node: Node, scene: Scene) -> set[str]:
    """Return the names in a formula, labels joined to them."""
    found: set[str] = set()
    if isinstance(node, Indexed) and isinstance(node.base, Name):
        base = base_of(resolved(node, scene))
        if isinstance(base, Name):
            found.add(base.name)
        for index in node.indices:
            found |= names_in(index, scene)
        return found
    if isinstance(node, Name):
        found.add(node.name)
        plain = node.name.rstrip("'")
        if plain in scene.facts.usage.arguments and scene.facts.definition(node.name) is None:
            for argument in scene.facts.usage.arguments[plain]:
                if isinstance(argument, Name):
                    found.add(argument.name)
    if isinstance(node, Call):
        found.add(node.function)
    for part in node.parts():
        found |= names_in(part, scene)
    return found


def index_names(node: Node) -> set[str]:
    """Return the names that stand below others."""
    return {
        name for part in node.walk() if isinstance(part, Indexed) for index in part.indices for name in mentioned(index)
    }


def shown(node: Node) -> str:
    """Return a short text of a formula, for reasons."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Indexed):
        return f"{shown(node.base)}_{','.join(shown(index) for index in node.indices)}"
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Call):
        return f"{node.function}({', '.join(shown(argument) for argument in node.arguments)})"
    return "it"
