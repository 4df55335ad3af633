"""What the rights of people themselves hold about whom, why and for how long; a module for each kind of work."""

from privacy.datamap import accountability, erasing, packages, requests

__all__ = ["accountability", "erasing", "packages", "requests"]
