"""What stands between a user and the verbs: flags, configuration files, what is printed, `doctor` and `demo`."""
