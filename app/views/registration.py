"""Registering and correcting a complaint (being written)."""


class RegistrationMixin:
    """Placeholder until the form lands."""
