"""`pi05 demo`: a mock home, a brain and one task, watched and written down."""
