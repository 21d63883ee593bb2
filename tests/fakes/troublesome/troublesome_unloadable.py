"""A plugin whose module cannot be imported."""

message = "this plugin needs a licence dongle"
raise RuntimeError(message)
