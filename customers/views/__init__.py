"""Pages of customers: entering and changing them, remarks, held rows, lists of the privacy role, settings."""
