"""The pi05 command: a file or folder for each verb, which parses and prints."""
