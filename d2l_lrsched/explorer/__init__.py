"""The page to play with schedules."""
