"""The doctor: what this machine has and lacks, and the command that installs what is missing."""
