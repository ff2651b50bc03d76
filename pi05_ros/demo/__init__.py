"""The demo: one supervised run of a mock home, with a video, a summary and a report."""
