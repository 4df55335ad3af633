"""The tasks of this app, where workers look for them."""

from privacy.packages.tasks import build_package, expire_packages, resume_packages

__all__ = ["build_package", "expire_packages", "resume_packages"]
