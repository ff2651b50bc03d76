"""`./pi05 report`: a run on one page, to send around."""
