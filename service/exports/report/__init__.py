"""The report of a month: HTML and PDF, in English and Spanish, from what was published."""
