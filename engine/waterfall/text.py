"""A document from its text: YAML (or JSON, which is YAML) with what YAML lets pass refused."""

from __future__ import annotations

from typing import Any, Final

import yaml

from engine.waterfall.document import Document, WaterfallError
from engine.waterfall.language import read_document

LONGEST: Final = 500_000
"""Characters of a document."""


class _Loader(yaml.SafeLoader):
    """Plain data only; a key that stands twice is refused, where YAML would forget the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise WaterfallError(f"{_place(key.start_mark)}: {key.value[:60]!r} stands twice; write it once.")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_text(text: str) -> Document:
    """The document that a YAML or JSON text says, checked. Raises WaterfallError naming the line or the step."""
    if len(text) > LONGEST:
        raise WaterfallError(f"The text has {len(text)} characters; {LONGEST} are the most.")
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        place, problem = _place(error.problem_mark or error.context_mark), error.problem or error.context
        raise WaterfallError(
            f"{place}: the YAML cannot be read ({problem}); check indents, brackets and colons."
        ) from None
    except RecursionError:
        raise WaterfallError("The text holds lists or mappings too deep within each other; write it flatter.") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, WaterfallError):
            raise
        raise WaterfallError(f"The YAML cannot be read ({str(error)[:200]}); check dates, numbers and signs.") from None
    return read_document(data)


def _place(mark: yaml.Mark | None) -> str:
    return "The text" if mark is None else f"Line {mark.line + 1}, column {mark.column + 1}"
