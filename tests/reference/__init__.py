"""The truth about coverage once more, in plain Python, from the definitions alone."""
