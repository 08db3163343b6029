"""How a booking is told: its times in words, in whose zone, and as data for programs."""
