"""The threads. Only here do the store, the watcher, the sandbox and the catalogs meet."""
