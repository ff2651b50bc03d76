"""Report of an evaluation: one page with tables, plots and videos, from its summary."""
