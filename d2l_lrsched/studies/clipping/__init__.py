"""The paper on clipping and schedules: what it claims, and what follows here."""
