"""The pages of the rights of people, one module a subject."""
