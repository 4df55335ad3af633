"""Visits to the shop's pages and the devices they came from: only with consent, 13 months at most."""
