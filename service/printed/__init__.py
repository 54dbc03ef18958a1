"""What the terminal shows: tables for people, JSON for scripts."""
