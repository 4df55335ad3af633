"""Rights over all apps: requests, erasure, packages, retention runs, accountability."""
