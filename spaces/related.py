"""What points at a model. A queryset can't import it: its models import the queryset's module."""

from typing import Any

from django.db import models


def related_model(model: type[models.Model], relation: str) -> Any:
    """Return the model whose rows point at this one."""
    return model._meta.get_field(relation).related_model


def related(model: type[models.Model], relation: str) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = related_model(model, relation)._default_manager.all()
    return rows


def through(places: Any) -> models.QuerySet[Any]:
    """Return the rows that say which place is part of which."""
    rows: models.QuerySet[Any] = places.parts.through.objects.all()
    return rows
