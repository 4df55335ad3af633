"""Packages: the copy of a person's data (Art. 15(3) GDPR) and the portable part of it (Art. 20)."""
