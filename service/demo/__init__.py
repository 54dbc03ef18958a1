"""A pretend district: its history is made by sweeping the vendor's stand-in on a virtual clock."""
