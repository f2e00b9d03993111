"""The page to play with schedules: `answer` says what it shows, `server` brings it to a browser."""
