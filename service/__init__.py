"""The service: configuration, storage, polling, pages and the command line."""
