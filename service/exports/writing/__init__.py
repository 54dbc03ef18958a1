"""Files of a package: tables in several formats, described, summed, and renamed into place in one step."""
