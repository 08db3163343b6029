"""Statements composed once per process: the ORM writes the SQL, each use only fills in values.

Composing a statement (clone, resolve, compile) costs many times what the database needs to run it.
Here that happens at the first use; later ones convert the values, execute, and read the rows, all
with the ORM's own converters. Statements go through Django's cursors, so that they are counted,
logged, and limited like any other.

    PLACE = prepared(lambda code: Place.objects.filter(code=code), code=UUIDField())
    PLACE.rows(code=code)

A value never changes the SQL. So None, which would have to become `IS NULL`, needs a statement of
its own; and a list has one form for each length.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model, QuerySet, Value
from django.db.models.constants import OnConflict
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import DeleteQuery, InsertQuery, UpdateQuery
from django.db.transaction import TransactionManagementError

type AnyField = Field[Any, Any]
type Values = Mapping[str, Any]
#: A field, or a list with one: then there are any number of such values.
type Declared = AnyField | list[AnyField]

#: In a constant of ours, whose notation depends on settings of the database.
NEEDS_ESCAPES = re.compile(r"[\\\x00]")

#: How many rows one INSERT writes; there is one form for each number.
MOST_ROWS = 96


def _cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
    """Return a cursor for statements that are worth preparing, where the database can."""
    make: Callable[[], CursorWrapper] = getattr(connection, "prepared_cursor", connection.cursor)
    return make()


class Slot(Value):
    """Where a value goes: in the ORM's eyes an expression, in the statement a placeholder."""

    def __init__(self, name: str, output_field: AnyField, index: int | None = None) -> None:
        super().__init__(name, output_field=output_field)
        self.index = index

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple["Slot"]]:  # type: ignore[override]  # theirs gives values
        return "%s", (self,)

    as_sqlite = as_sql  # type: ignore[assignment]  # theirs casts decimals

    def fill(self, values: Values, connection: BaseDatabaseWrapper) -> Any:
        value = values[self.value]
        if self.index is not None:
            value = value[self.index]
        if self.for_save:
            return self.output_field.get_db_prep_save(value, connection=connection)
        if value is None:
            raise ValueError(f"{self.value} is None: that needs a statement of its own")
        return self.output_field.get_db_prep_value(value, connection=connection, prepared=False)


class Text:
    """A composed statement: its SQL, and for each parameter a constant or a slot."""

    def __init__(self, sql: str, params: Iterable[Any], *, with_constants: bool = False) -> None:
        self.sql, self.params = sql, tuple(params)
        if with_constants:
            self.sql, self.params = _with_constants(self.sql, self.params)
        self._slots = [(n, param) for n, param in enumerate(self.params) if type(param) is Slot]

    def filled(self, values: Values, connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
        params = list(self.params)
        for position, slot in self._slots:
            params[position] = slot.fill(values, connection)
        return tuple(params)


def _with_constants(sql: str, params: Iterable[Any]) -> tuple[str, tuple[Any, ...]]:
    """Write the texts that are no slots into the SQL."""
    waiting, kept = list(params), []

    def written(mark: re.Match[str]) -> str:
        if mark[0] == "%%":
            return "%%"
        param = waiting.pop(0)
        if isinstance(param, str) and not NEEDS_ESCAPES.search(param):
            return "'" + str(param).replace("'", "''").replace("%", "%%") + "'"
        kept.append(param)
        return "%s"

    return re.sub("%[%s]", written, sql), tuple(kept)


class _Statement[Plan]:
    """Composes a plan for each database and each length of its lists."""

    def __init__(self, compose: Callable[..., Any], fields: Mapping[str, Declared]) -> None:
        self.compose = compose
        self._fields = fields
        self._lists = [name for name, field in fields.items() if isinstance(field, list)]
        self._plans: dict[tuple[Any, ...], Plan] = {}

    def _plan(self, connection: BaseDatabaseWrapper, values: Values) -> Plan:
        key = (connection.alias, *(len(values[name]) for name in self._lists))
        plan = self._plans.get(key)
        if plan is None:
            # Two threads may both do so: the results are equal.
            plan = self._plans[key] = self._planned(connection, self.compose(**self._slots(values)))
        return plan

    def _slots(self, values: Values) -> dict[str, Any]:
        return {
            name: [Slot(name, field[0], n) for n in range(len(values[name]))]
            if isinstance(field, list)
            else Slot(name, field)
            for name, field in self._fields.items()
        }

    def _planned(self, connection: BaseDatabaseWrapper, composed: Any) -> Plan:
        raise NotImplementedError


class _Reading:
    """A composed SELECT, and how its rows become what the queryset would return."""

    def __init__(
        self, queryset: Any, connection: BaseDatabaseWrapper, *, with_constants: bool
    ) -> None:
        self.text: Text | None
        self.compiler = queryset.query.get_compiler(connection=connection)
        self.locks = queryset.query.select_for_update and connection.features.has_select_for_update
        try:
            self.text = Text(*self.compiler.as_sql(), with_constants=with_constants)
        except EmptyResultSet:
            self.text = None
            return
        columns = [column[0] for column in self.compiler.select[: self.compiler.col_count]]
        self.converters = list(self.compiler.get_converters(columns).items())
        self.read = self._reader(queryset, connection)

    def _reader(
        self, queryset: Any, connection: BaseDatabaseWrapper
    ) -> Callable[[list[Sequence[Any]]], list[Any]]:
        iterable = queryset._iterable_class
        if queryset._prefetch_related_lookups or queryset._known_related_objects:
            raise TypeError(
                "a prepared statement is one statement: no prefetch, no related manager"
            )
        if iterable is ValuesListIterable:
            return lambda rows: [tuple(row) for row in rows]
        if iterable is FlatValuesListIterable:
            return lambda rows: [row[0] for row in rows]
        if iterable is ModelIterable and not queryset._fetch_mode.track_peers:
            return self._reader_of_models(queryset, connection.alias)
        raise TypeError(f"a prepared statement can't return {iterable.__name__}")

    def _reader_of_models(
        self, queryset: Any, alias: str
    ) -> Callable[[list[Sequence[Any]]], list[Any]]:
        """Return what does as `django.db.models.query.ModelIterable`."""
        select, info = self.compiler.select, self.compiler.klass_info
        assert info is not None
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in select[first:last]]
        mode = queryset._fetch_mode
        from_db = info["model"].from_db
        related = get_related_populators(info, select, alias, mode)
        annotations = list((self.compiler.annotation_col_map or {}).items())

        def read(rows: list[Sequence[Any]]) -> list[Any]:
            found = []
            for row in rows:
                instance = from_db(alias, names, row[first:last], fetch_mode=mode)
                for populator in related:
                    populator.populate(row, instance)
                for name, position in annotations:
                    setattr(instance, name, row[position])
                found.append(instance)
            return found

        return read

    def convert(
        self, rows: list[Sequence[Any]], connection: BaseDatabaseWrapper
    ) -> list[Sequence[Any]]:
        if not self.converters:
            return rows
        converted: list[Sequence[Any]] = []
        for row in map(list, rows):
            for position, (converters, expression) in self.converters:
                value = row[position]
                for converter in converters:
                    value = converter(value, expression, connection)
                row[position] = value
            converted.append(row)
        return converted


class Prepared[Row](_Statement[_Reading]):
    """A queryset composed once; `rows` returns what the queryset would."""

    with_constants = False

    def rows(self, **values: Any) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plan(connection, values)
        if plan.text is None:
            return []
        if plan.locks and connection.get_autocommit():
            raise TransactionManagementError("rows can only be locked in a transaction")
        with _cursor(connection) as cursor:
            cursor.execute(plan.text.sql, plan.text.filled(values, connection))
            rows = cursor.fetchall()
        return plan.read(plan.convert(rows, connection))

    def first(self, **values: Any) -> Row | None:
        """Return the first row, or None; the queryset should be limited to one."""
        rows = self.rows(**values)
        return rows[0] if rows else None

    def _planned(self, connection: BaseDatabaseWrapper, composed: Any) -> _Reading:
        return _Reading(composed, connection, with_constants=self.with_constants)


class _PreparedWithConstants[Row](Prepared[Row]):
    with_constants = True


class Change(_Statement[Text]):
    """An UPDATE or a DELETE composed once; `run` returns how many rows it changed."""

    def run(self, **values: Any) -> int:
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plan(connection, values)
        with _cursor(connection) as cursor:
            cursor.execute(plan.sql, plan.filled(values, connection))
            return int(cursor.rowcount)

    def _planned(self, connection: BaseDatabaseWrapper, composed: Any) -> Text:
        if isinstance(composed, QuerySet):
            query = composed.query.chain(klass=DeleteQuery)
        else:
            queryset, changes = composed
            query = queryset.query.chain(klass=UpdateQuery)
            query.add_update_values(changes)
            query.clear_ordering(force=True)
        return Text(*query.get_compiler(connection=connection).as_sql())


class Insert[M: Model]:
    """INSERTs composed once, of one row or many. Sends no signals, as `bulk_create`.

    With `ignore_conflicts`, rows that a unique constraint forbids are left out.
    """

    def __init__(self, model: type[M], *, ignore_conflicts: bool = False) -> None:
        self._model = model
        self._on_conflict = OnConflict.IGNORE if ignore_conflicts else None
        self._fields = [
            field for field in model._meta.local_concrete_fields if field is not model._meta.pk
        ]
        self._plans: dict[tuple[str, int], tuple[Text, Any]] = {}

    def one(self, instance: M) -> bool:
        """Insert a row and give the instance its key; tell whether it was inserted."""
        connection = connections[DEFAULT_DB_ALIAS]
        text, returning = self._plan(connection, 0)
        with _cursor(connection) as cursor:
            cursor.execute(text.sql, self._values([instance], connection))
            rows = cursor.fetchall()
        if not rows:
            return False
        key, (converters, column) = rows[0][0], returning
        for converter in converters:
            key = converter(key, column, connection)
        instance.pk = key
        instance._state.adding = False
        instance._state.db = connection.alias
        return True

    def many(self, instances: Sequence[M]) -> int:
        """Insert rows, which don't learn their keys; return how many were inserted."""
        connection = connections[DEFAULT_DB_ALIAS]
        count = 0
        for start in range(0, len(instances), MOST_ROWS):
            some = instances[start : start + MOST_ROWS]
            text, _returning = self._plan(connection, len(some))
            with _cursor(connection) as cursor:
                cursor.execute(text.sql, self._values(some, connection))
                count += cursor.rowcount
        return count

    def _values(self, instances: Iterable[M], connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
        return tuple(self._each(instances, connection))

    def _each(self, instances: Iterable[M], connection: BaseDatabaseWrapper) -> Iterator[Any]:
        for instance in instances:
            for field in self._fields:
                value = field.pre_save(instance, add=True)
                if hasattr(value, "as_sql"):
                    raise TypeError(
                        f"{field.name} is an expression: a prepared INSERT takes values"
                    )
                yield field.get_db_prep_save(value, connection)

    def _plan(self, connection: BaseDatabaseWrapper, rows: int) -> tuple[Text, Any]:
        """Return the INSERT of so many rows; 0 means one row whose key is returned."""
        key = (connection.alias, rows)
        if key not in self._plans:
            self._plans[key] = self._planned(connection, rows)
        return self._plans[key]

    def _planned(self, connection: BaseDatabaseWrapper, rows: int) -> tuple[Text, Any]:
        query = InsertQuery(self._model, on_conflict=self._on_conflict)
        slots = {field.attname: Slot(field.attname, field) for field in self._fields}
        row: Any = SimpleNamespace(**slots)
        query.insert_values(self._fields, [row] * max(rows, 1), raw=True)
        compiler = query.get_compiler(connection=connection)
        returning: Any = None
        if rows == 0:
            pk = self._model._meta.pk
            compiler.returning_fields = [pk]
            column = pk.get_col(self._model._meta.db_table)
            converters = compiler.get_converters([column])
            returning = converters.get(0, ([], column))
        [(sql, params)] = compiler.as_sql()
        return Text(sql, params), returning


def prepared[Row](compose: Callable[..., QuerySet[Any, Row]], **fields: Declared) -> Prepared[Row]:
    """Return a statement: `compose` gets a slot for each field, in a list where there are many."""
    return Prepared(compose, fields)


def prepared_with_constants[Row](
    compose: Callable[..., QuerySet[Any, Row]], **fields: Declared
) -> Prepared[Row]:
    """Return a statement in which constants of text, as states are, don't become parameters.

    Only then may a plan for all values use an index of some states. That is not always the better
    one: for the few bookings of one person, planners would read the small index of all people.
    """
    return _PreparedWithConstants(compose, fields)


def prepared_update(
    compose: Callable[..., tuple[QuerySet[Any, Any], Mapping[str, Any]]], **fields: Declared
) -> Change:
    """Return an UPDATE: `compose` returns which rows, and what they get."""
    return Change(compose, fields)


def prepared_delete(compose: Callable[..., QuerySet[Any, Any]], **fields: Declared) -> Change:
    """Return a DELETE of the rows alone: what refers to them is for the constraints to say."""
    return Change(compose, fields)
