"""What a query may ask for: so deep, so much, and so many things at a time."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.conf import settings
from django.utils.translation import gettext as _
from graphql import GraphQLError
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.validation import ValidationRule
from strawberry.extensions import SchemaExtension

from accounts.api.pages import MOST, USUAL

#: The longest way through our own types is four fields.
DEPTH = 6
#: Words and signs; the longest query that asks for everything once has a quarter of it.
TOKENS = 2000
#: Each field of a query is a request to the JSON API, and counts as one.
AT_ONCE = 10
#: Values in the answer: a page of a hundred bookings with all that is said of each is 1,800.
COST = 5000

#: Not lists with a limit, yet long: the places of a space, and those that are free.
LONG = {"places": 50, "free_places": 50}


class Cost(ValidationRule):
    """Refuse a query before anything is asked, by the number of values that it may bring.

    A field counts once for each row that it may be in; a list has as many as its `limit` says.
    """

    def enter_document(self, node: DocumentNode, *_args: Any) -> None:
        fragments = {
            each.name.value: each
            for each in node.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        counting = _Counting(fragments)
        for operation in node.definitions:
            if not isinstance(operation, OperationDefinitionNode):
                continue
            asked, cost = counting.of_query(operation.selection_set)
            if asked > AT_ONCE:
                words = _("A query may have up to %(most)d fields of its own, not %(asked)d.")
                self._refuse(words % {"most": AT_ONCE, "asked": asked}, operation)
            elif cost > COST:
                words = _("This query could bring %(cost)d values; up to %(most)d are allowed.")
                self._refuse(words % {"cost": cost, "most": COST}, operation)

    def _refuse(self, words: str, node: OperationDefinitionNode) -> None:
        self.report_error(GraphQLError(words, nodes=[node]))


class _Counting:
    """Counts what is selected. A fragment is counted once, however often it is used."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.fragments = fragments
        self.counted: dict[str, int] = {}

    def of_query(self, selections: SelectionSetNode) -> tuple[int, int]:
        fields = [field for field in self._roots(selections, ()) if not _is_meta(field)]
        return len(fields), sum(self._field(field, ()) for field in fields)

    def _roots(self, selections: SelectionSetNode, inside: tuple[str, ...]) -> Iterator[FieldNode]:
        for each in selections.selections:
            if isinstance(each, FieldNode):
                yield each
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name in self.fragments and name not in inside:
                    yield from self._roots(self.fragments[name].selection_set, (*inside, name))
            else:
                yield from self._roots(each.selection_set, inside)  # type: ignore[attr-defined]  # inline

    def _all(self, selections: Iterable[SelectionNode], inside: tuple[str, ...]) -> int:
        return sum(self._one(each, inside) for each in selections)

    def _one(self, node: SelectionNode, inside: tuple[str, ...]) -> int:
        if isinstance(node, FieldNode):
            return self._field(node, inside)
        if not isinstance(node, FragmentSpreadNode):
            return self._all(node.selection_set.selections, inside)  # type: ignore[attr-defined]  # inline
        name = node.name.value
        if name not in self.fragments or name in inside:  # another rule says that it is wrong
            return 0
        if name not in self.counted:
            body = self.fragments[name].selection_set.selections
            self.counted[name] = self._all(body, (*inside, name))
        return self.counted[name]

    def _field(self, field: FieldNode, inside: tuple[str, ...]) -> int:
        if field.selection_set is None:
            return 1
        rows = _rows(field) * LONG.get(field.name.value, 1)
        return 1 + rows * self._all(field.selection_set.selections, inside)


def _is_meta(field: FieldNode) -> bool:
    return field.name.value.startswith("__")


def _rows(field: FieldNode) -> int:
    """Return how many rows a field brings: those of its page, at most."""
    for argument in field.arguments or ():
        if argument.name.value == "limit":
            if isinstance(argument.value, IntValueNode):
                digits = argument.value.value
                return min(max(int(digits[:9]), 1), MOST)
            return MOST if isinstance(argument.value, VariableNode) else USUAL
    return USUAL if field.name.value in ("spaces", "bookings") else 1


class Named(SchemaExtension):
    """Refuse several operations of which none is named: Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = cast(DocumentNode, context.graphql_document)
        found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        if len(found) > 1 and not context._provided_operation_name:
            words = _("Say in “operationName” which of the operations to carry out.")
            context.pre_execution_errors = [GraphQLError(words)]
        yield


class Introspection(ValidationRule):
    """Refuse questions about the schema itself where the operator says so."""

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        if node.name.value in ("__schema", "__type") and not settings.GRAPHQL_INTROSPECTION:
            self.report_error(
                GraphQLError(_("This site does not describe its schema."), nodes=[node])
            )
