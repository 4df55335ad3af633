"""Pages of consents, by what they are about."""
