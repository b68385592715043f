"""What is the server's own, in the database. Trainings are not: they live in their run directories alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime


class Setting(models.Model):
    """A choice that holds until it is changed, such as the model in use."""

    name: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    value: models.JSONField[Any, Any] = models.JSONField()

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"

    @classmethod
    def read(cls, name: str, default: object = None) -> object:
        """The value of a name, or the default."""
        found = cls.objects.filter(name=name).first()
        return default if found is None else found.value

    @classmethod
    def write(cls, name: str, value: object) -> None:
        """Keep a value, which JSON can hold."""
        cls.objects.update_or_create(name=name, defaults={"value": value})


class PersonalDigit(models.Model):
    """A drawing somebody said the digit of; together they are the personal set."""

    digit: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField()
    image: models.BinaryField[bytes, bytes] = models.BinaryField(max_length=784)
    """28 x 28 bytes, as MNIST's images are."""
    drawing: models.JSONField[Any, Any] = models.JSONField(null=True)
    """{"strokes", "width", "height", "brush"?}; null for what came as a picture."""
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In the order in which they came."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.digit} of {self.created:%Y-%m-%d %H:%M}"


class QueuedRun(models.Model):
    """A training that was asked for and has not begun; when it does, its run directory takes its place."""

    run_id: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    settings: models.JSONField[Any, Any] = models.JSONField()
    """As digitnet.web.forms checked them."""
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:
        """First come, first served."""

        ordering = ("id",)

    def __str__(self) -> str:
        return self.run_id
