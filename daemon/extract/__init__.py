"""Reading a dataset in a child process that cannot harm the daemon."""
