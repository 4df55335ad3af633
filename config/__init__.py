"""Wiring: settings, routes, Celery. Nobody imports this package's modules but Django and Celery."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
