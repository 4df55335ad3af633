"""The demo shop: believable people, purchases and contacts, made as sets and the same for the same seed."""
