"""What is measured: ours, the usual way and the limit, in one run on one machine."""
