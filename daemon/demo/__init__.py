"""Something to look at: a simulated instrument. Runs as a process of its own, as instruments do."""
