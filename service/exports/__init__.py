"""The packages of a month: what they tell, whom they protect, and how they are written."""
