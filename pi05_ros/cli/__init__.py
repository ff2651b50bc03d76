"""The pi05 command: a file or folder a verb. Verbs parse and print; the library does the work."""
