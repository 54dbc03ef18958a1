"""Files of a district and of carriers' portals: read strictly, row by row, and stored in one transaction."""
