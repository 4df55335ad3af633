"""Forms of the rights desk and of accountability."""
