"""A small app with one guest, installed only while the vault is tested."""
