"""The lifecycle manager node: brings the other nodes up and down in order."""
